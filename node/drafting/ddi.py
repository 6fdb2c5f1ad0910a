"""DDI-Codebook 2.5 (ddialliance.org, namespace ddi:codebook:2_5): what a study's documentation says of its variables.

Read as a stream, without document types or entities, so that no file can unpack to more than it is. Texts may come in
several languages (xml:lang); the first one counts where a language is not there.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler, feature_namespaces
from xml.sax.xmlreader import AttributesNSImpl

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from node.drafting.seen import tidy
from node.importing.problems import BadImport, shown

NAMESPACE = "ddi:codebook:2_5"
_XML = "http://www.w3.org/XML/1998/namespace"
_MOST_BYTES = 64 << 20
_MOST_VARIABLES, _MOST_CATEGORIES, _MOST_TEXT, _MOST_DEPTH = 20_000, 2_000, 10_000, 64

Texts = dict[str, str]
"""A text by language; an empty language where none is said."""


@dataclass(slots=True)
class Category:
    """One catgry: its catValu, its labels, and whether it means missing."""

    code: str = ""
    labels: Texts = field(default_factory=dict)
    missing: bool = False


@dataclass(slots=True)
class Documented:
    """One var, as it stands in the file at `line`. `low` and `high` are its valid range, where there is one."""

    name: str
    line: int
    continuous: bool = False
    decimals: int | None = None
    labels: Texts = field(default_factory=dict)
    question: Texts = field(default_factory=dict)
    universe: Texts = field(default_factory=dict)
    low: str = ""
    high: str = ""
    missing: list[str] = field(default_factory=list)
    missing_ranges: list[tuple[str, str]] = field(default_factory=list)
    categories: list[Category] = field(default_factory=list)
    format: str = ""


@dataclass(slots=True)
class Study:
    """The variables of a study and its title."""

    title: Texts = field(default_factory=dict)
    variables: list[Documented] = field(default_factory=list)


def read_ddi(path: Path) -> Study:
    """The study that a file documents. Raises BadImport with the line for a file that is no DDI-Codebook 2.5."""
    file = shown(path.name)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadImport("ddi_too_large", file=file)
        data = path.read_bytes()
    except OSError:
        raise BadImport("ddi_unreadable", file=file, line=1) from None
    reader = _Reader(file)
    parser = make_parser()
    parser.forbid_dtd = True
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(reader)
    try:
        parser.parse(io.BytesIO(data))
    except DefusedXmlException:
        raise BadImport("ddi_entities", file=file) from None
    except SAXParseException as error:
        raise BadImport("ddi_unreadable", file=file, line=error.getLineNumber() or 1) from None
    except (SAXException, ValueError, LookupError):
        raise BadImport("ddi_unreadable", file=file, line=1) from None
    if not reader.study.variables:
        raise BadImport("ddi_empty", file=file)
    return reader.study


class _Reader(ContentHandler):
    """Keeps what dataDscr/var says, by where an element stands."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.study = Study()
        self._file = file
        self._path: list[str] = []
        self._text: list[str] = []
        self._room = 0
        self._lang = ""

    def startElementNS(self, name: tuple[str | None, str], qname: str | None, attrs: AttributesNSImpl) -> None:  # noqa: N802
        space, local = name
        if not self._path and (local != "codeBook" or space != NAMESPACE):
            raise BadImport("ddi_other", file=self._file, found=shown(f"{space or ''} {local}".strip()))
        if len(self._path) >= _MOST_DEPTH:
            raise BadImport("ddi_too_large", file=self._file)
        self._path.append(local if space == NAMESPACE else "")
        self._text, self._room = [], _MOST_TEXT
        given = {key[1]: value for key, value in attrs.items() if key[0] is None}
        self._lang = str(attrs.get((_XML, "lang"), "")).casefold()[:2]
        if self._within("dataDscr", "var"):
            self._begin(given)
        elif self.study.variables and "var" in self._path:
            self._attributes(self.study.variables[-1], given)

    def characters(self, content: str) -> None:
        if self._room > 0:
            self._text.append(content[: self._room])
            self._room -= len(content)

    def endElementNS(self, name: tuple[str | None, str], qname: str | None) -> None:  # noqa: N802
        text = tidy("".join(self._text))
        if text and "var" in self._path and self.study.variables:
            self._texts(self.study.variables[-1], text)
        elif text and self._within("stdyDscr", "citation", "titlStmt", "titl"):
            self.study.title.setdefault(self._lang, text)
        self._path.pop()
        self._text, self._room = [], 0

    def _within(self, *path: str) -> bool:
        return tuple(self._path[1:]) == path

    def _begin(self, given: dict[str, str]) -> None:
        if len(self.study.variables) >= _MOST_VARIABLES:
            raise BadImport("ddi_too_large", file=self._file)
        locator: Any = getattr(self, "_locator", None)
        line = int(locator.getLineNumber() or 1) if locator is not None else 1
        decimals = given.get("dcml", "")
        self.study.variables.append(
            Documented(
                tidy(given.get("name", "")),
                line,
                given.get("intrvl") == "contin",
                int(decimals) if decimals.isdigit() and len(decimals) < 3 else None,
            )
        )

    def _attributes(self, one: Documented, given: dict[str, str]) -> None:
        if self._within("dataDscr", "var", "valrng", "range"):
            one.low = given.get("min", given.get("minExclusive", "")).strip()
            one.high = given.get("max", given.get("maxExclusive", "")).strip()
        elif self._within("dataDscr", "var", "invalrng", "range"):
            one.missing_ranges.append((given.get("min", "").strip(), given.get("max", "").strip()))
        elif self._within("dataDscr", "var", "invalrng", "item"):
            one.missing.append(tidy(given.get("VALUE", "")))
        elif self._within("dataDscr", "var", "varFormat"):
            one.format = given.get("type", "")
        elif self._within("dataDscr", "var", "catgry"):
            if len(one.categories) >= _MOST_CATEGORIES:
                raise BadImport("ddi_too_large", file=self._file)
            one.categories.append(Category(missing=given.get("missing", "").upper() in ("Y", "YES", "TRUE", "1")))

    def _texts(self, one: Documented, text: str) -> None:
        lang = self._lang
        if self._within("dataDscr", "var", "labl"):
            one.labels.setdefault(lang, text)
        elif self._within("dataDscr", "var", "qstn", "qstnLit"):
            one.question.setdefault(lang, text)
        elif self._within("dataDscr", "var", "universe"):
            one.universe.setdefault(lang, text)
        elif self._within("dataDscr", "var", "catgry", "catValu") and one.categories:
            one.categories[-1].code = text
        elif self._within("dataDscr", "var", "catgry", "labl") and one.categories:
            one.categories[-1].labels.setdefault(lang, text)
