"""`rondgang node import --suggest`: a draft mapping and codebook from the files themselves, without a node."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from node.cli.terminal import BAD_INPUT, REFUSED, Lang, Terminal

if TYPE_CHECKING:
    from node.drafting.suggestion import Suggestion
    from policies.study.codebook import Codebook

_SHIPPED = Path(__file__).resolve().parents[2] / "policies" / "shipped"
_MOST_PERSONS = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the steward asks: the files, a codebook to map to (None: draft one), how CSV is written, where to write."""

    sources: tuple[Path, ...]
    codebook: str | None
    delimiter: str
    encoding: str | None
    out: Path | None


def suggest_drafts(wanted: Wanted, home: Path | None, lang: Lang | None, as_json: bool) -> None:
    """Prints the drafts, or writes them to a folder. Ends the process where the files are no tables."""
    from node.importing.problems import BadImport
    from node.journal import place_of

    terminal = _terminal(home, lang, as_json)
    try:
        found, codebook = _suggestion(wanted)
        drafts = _drafts(found, codebook, wanted, terminal)
    except BadImport as error:
        terminal.stop(BAD_INPUT, error.reason, f"import.bad.{error.reason}", **error.fields)
    except Exception as error:
        # The message of an unforeseen fault may quote a value; its place in the program does not.
        terminal.stop(REFUSED, "fault", "import.fault", place=place_of(error))
    if wanted.out is not None:
        _write(drafts, wanted.out, terminal)
    open_bounds = sum("bounds" in one.open for one in found.variables)
    terminal.result({
        **{name.partition(".")[0]: text for name, text in drafts.items()},
        "left_out": [{"file": one.file, "column": one.column, "why": one.why} for one in found.left_out],
        "open_bounds": open_bounds,
    })  # fmt: skip
    if not as_json:
        _tell(drafts, found, wanted, terminal, open_bounds)


def _terminal(home: Path | None, lang: Lang | None, as_json: bool) -> Terminal:
    """In the language of the home, if there is one."""
    from node.errors import BadHome
    from node.home import find_home

    if lang is not None:
        return Terminal(lang.value, as_json)
    try:
        return Terminal(find_home(home).config().lang, as_json)
    except BadHome:
        return Terminal("nl", as_json)


def _suggestion(wanted: Wanted) -> tuple[Suggestion, Codebook | None]:
    from node.drafting.seen import look
    from node.drafting.suggestion import suggest
    from node.importing.files import READABLE, listed
    from node.importing.problems import BadImport, shown
    from node.importing.request import delimiter_of, encoding_of

    encoding = None if wanted.encoding is None else encoding_of(wanted.encoding)
    delimiter = delimiter_of(wanted.delimiter)
    files = [path for path in listed(wanted.sources) if path in wanted.sources or path.suffix.casefold() in READABLE]
    if not files:
        raise BadImport("nothing_to_read", path=shown(str(wanted.sources[0])))
    codebook = None if wanted.codebook is None else _codebook(wanted.codebook)
    return suggest([look(path, encoding, delimiter) for path in files], codebook), codebook


def _codebook(named: str) -> Codebook:
    """A codebook by its file, or one that is shipped by its id."""
    from node.importing.problems import BadImport, shown, shown_lines
    from policies.documents import BadDocument, load_yaml
    from policies.study.codebook import Codebook

    name = named.partition("@")[0]
    shipped = {path.name.removesuffix(".codebook.yaml"): path for path in sorted(_SHIPPED.glob("*.codebook.yaml"))}
    path = shipped.get(name, Path(named))
    if name not in shipped and not path.is_file():
        raise BadImport("no_codebook_file", codebook=shown(named), known=", ".join(shipped))
    try:
        return load_yaml(Codebook, path)
    except BadDocument as error:
        raise BadImport("codebook_file", detail=shown_lines(str(error))) from None


def _drafts(found: Suggestion, codebook: Codebook | None, wanted: Wanted, terminal: Terminal) -> dict[str, str]:
    from node.drafting.variables import variable_name
    from node.drafting.written import codebook_text, mapping_text, units_of

    if codebook is not None:
        return {"mapping.yaml": mapping_text(found, codebook.label, terminal.lang)}
    name = variable_name(wanted.sources[0].absolute().stem, set())
    waves = {wave: terminal.words("data.draft.wave", wave=wave) for wave in found.waves}
    persons = max((len(part.persons) for part in found.parts if part.table == "child"), default=0)
    text = codebook_text(
        name, found.variables, units_of(found, None), waves, terminal.lang, min(persons, _MOST_PERSONS) or 4
    )
    return {"mapping.yaml": mapping_text(found, f"{name}@1", terminal.lang), "codebook.yaml": text}


def _write(drafts: dict[str, str], folder: Path, terminal: Terminal) -> None:
    """Private files; one that is there already is somebody's work."""
    from node.files import write_private

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in drafts:
            if (folder / name).exists():
                terminal.stop(BAD_INPUT, "exists", "data.draft.exists", path=str(folder / name))
        for name, text in drafts.items():
            write_private(folder / name, text.encode("utf-8"))
    except OSError as error:
        detail = error.strerror or type(error).__name__
        terminal.stop(REFUSED, "writing", "data.draft.not_written", path=str(folder), detail=detail)


def _tell(drafts: dict[str, str], found: Suggestion, wanted: Wanted, terminal: Terminal, open_bounds: int) -> None:
    if wanted.out is None:
        for name, text in drafts.items():
            print(f"# ==== {name}\n{text}")
    else:
        terminal.say("data.draft.written", files=", ".join(str(wanted.out / name) for name in drafts))
    columns = sum(len(part.columns) for part in found.parts)
    for key, count in (("found", columns), ("left", len(found.left_out)), ("open", open_bounds)):
        print(
            terminal.words(f"data.draft.told.{key}", count=count), file=sys.stderr if wanted.out is None else sys.stdout
        )
