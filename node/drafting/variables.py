"""A draft of a codebook's variable: what is known of it for sure, and what somebody must still say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from node.drafting.roles import is_category
from node.drafting.seen import Seen
from policies.study.codebook import TABLES, Table
from policies.study.columns import RESERVED
from policies.study.text import Language

Open = Literal["bounds", "bounds_of_labels", "codes_seen", "codes_unlabelled", "missing_guess", "grid", "labels"]
"""What is to be looked after by hand: bounds that nobody told; bounds that are those of a scale's labels; codes that
were seen in the rows and not declared; codes that rows have beside declared ones; a code that looks like one for "not
known"; a step that nobody told; labels that are missing."""

_CODE = re.compile(r"[A-Za-z0-9_]{1,40}")
_UNKNOWN = re.compile(
    r".*(weet (ik )?niet|onbekend|geen antwoord|geweigerd|wil niet|weigert|niet van toepassing|n\.?v\.?t\b|"
    r"niet ingevuld|unknown|don'?t know|refused|no answer|not applicable|^missing$|\bmissing\b).*"
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A variable. `theirs` says how the file spells a code where that differs; `open` what somebody must still see to.

    `bounds` None: of a category, or not known. `labels` and those of `categories` are by language.
    """

    name: str
    table: Table
    type: Literal["integer", "decimal", "category"]
    labels: Mapping[Language, str] = field(default_factory=dict)
    bounds: tuple[str, str] | None = None
    grid: str = "1"
    categories: Mapping[str, Mapping[Language, str]] = field(default_factory=dict)
    theirs: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    waves: tuple[str, ...] = ()
    open: tuple[Open, ...] = ()
    source: str = ""
    """Where it comes from: the column's name, or file and line."""


def both(text: str) -> dict[Language, str]:
    """One text for both languages, until somebody translates it."""
    return {"nl": text, "en": text}


def draft(seen: Seen, name: str, table: Table, waves: Sequence[str]) -> Draft:
    """A variable from columns of one question. Its bounds are those of declared labels, and never of its values."""
    missing, texts = _missing(seen), seen.texts
    labels = {code: label for code, label in seen.labels.items() if code not in missing}
    guessed = tuple(code for code in texts.outside if code not in (*labels, *missing))
    told: tuple[Open, ...] = ("missing_guess",) if guessed else ()
    base = Draft(
        name,
        table,
        "category",
        both(seen.label) if seen.label else {},
        missing=(*missing, *guessed),
        waves=tuple(waves),
        open=told,
        source=seen.name,
    )
    numeric = texts.numbers and all(_is_number(code) for code in labels)
    if len(labels) >= 2 and (not numeric or seen.unlabelled != "many"):
        unlabelled: tuple[Open, ...] = () if seen.unlabelled == "none" else ("codes_unlabelled",)
        return _category(replace(base, open=(*told, *unlabelled)), labels)
    if not labels and not guessed and is_category(texts):
        return _category(replace(base, open=("codes_seen",)), {text: text for text in texts.often})
    return _number(base, seen, labels)


def _number(base: Draft, seen: Seen, labels: Mapping[str, str]) -> Draft:
    ends = sorted((code for code in labels if _is_whole(code)), key=int)
    bounds = (ends[0], ends[-1]) if len(ends) >= 2 and len(ends) == len(labels) else None
    todo: tuple[Open, ...] = (*base.open, "bounds" if bounds is None else "bounds_of_labels")
    if seen.texts.whole:
        return replace(base, type="integer", bounds=bounds, open=todo)
    grid = "0." + "0" * ((seen.decimals or 1) - 1) + "1"
    return replace(base, type="decimal", bounds=bounds, grid=grid, open=todo if seen.decimals else (*todo, "grid"))


def _missing(seen: Seen) -> tuple[str, ...]:
    """Codes for "not known": those that the file declares, and those whose label says so."""
    said = (code for code, label in seen.labels.items() if _UNKNOWN.fullmatch(label.casefold()))
    return tuple(dict.fromkeys((*seen.missing, *said)))


def _category(base: Draft, labels: Mapping[str, str]) -> Draft:
    """Codes as they are where the codebook can have them, else named after their labels."""
    if all(_CODE.fullmatch(code) for code in labels):
        return replace(base, categories={code: both(label or code) for code, label in labels.items()})
    taken: set[str] = set()
    ours = {code: unique(slug(label)[:36] or "code", taken) for code, label in labels.items()}
    return replace(base, categories={ours[code]: both(label or code) for code, label in labels.items()}, theirs=ours)


def slug(text: str) -> str:
    """A name in lower-case ASCII, as codebooks have them."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def variable_name(text: str, taken: set[str]) -> str:
    """A name that a codebook may have, and that is not taken yet."""
    found = slug(text)[:50]
    if not found or not found[0].isalpha() or found in RESERVED or found in ("hh", "slot", "present", *TABLES):
        found = f"v_{found}".strip("_")
    return unique(found, taken)


def unique(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken; it is taken from then on."""
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) is not None


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,9}", text) is not None
