"""`rondgang node codebook`: a draft codebook from a study's own documentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import BAD_INPUT, REFUSED, JsonOption, Lang, LangOption, Terminal

if TYPE_CHECKING:
    from node.drafting.documented import FromStudy

_MOST_PERSONS = 12


def codebook(
    file: Annotated[Path, typer.Argument(help="The documentation: DDI-Codebook 2.5 (XML).")],
    out: Annotated[Path | None, typer.Option(help="The draft to write; without it, it is printed.")] = None,
    name: Annotated[str | None, typer.Option("--id", help="What the codebook is called, such as cohort3.")] = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Drafts a codebook from DDI-Codebook 2.5. It needs no node and reads no data.

    Names, labels, categories, codes for "not known" and bounds are those that the documentation states. What it does
    not state is listed with the line, and must be filled in before the codebook is accepted. The consortium signs it:
    rondgang consortium codebook.

    Example: rondgang node codebook studie.xml --out codebook.yaml --id cohort3
    """
    from node.importing.problems import BadImport
    from node.journal import place_of

    terminal = Terminal("nl" if lang is None else Lang(lang).value, as_json)
    try:
        found, text = _draft(file, name, terminal)
    except BadImport as error:
        terminal.stop(BAD_INPUT, error.reason, f"import.bad.{error.reason}", **error.fields)
    except Exception as error:
        # The message of an unforeseen fault may quote the file; its place in the program does not.
        terminal.stop(REFUSED, "fault", "import.fault", place=place_of(error))
    if out is not None:
        _write(out, text, terminal)
    terminal.result({
        "codebook": text,
        "lacking": [{"file": o.file, "line": o.line, "variable": o.name, "what": o.what} for o in found.lacking],
        "left_out": [{"variable": one.column, "why": one.why} for one in found.left_out],
    })  # fmt: skip
    if out is None and not as_json:
        print(text)
    elif out is not None:
        terminal.say("data.draft.written", files=str(out))
    _tell(found, terminal, to_out=out is None)


def _draft(file: Path, name: str | None, terminal: Terminal) -> tuple[FromStudy, str]:
    from node.drafting.ddi import read_ddi
    from node.drafting.documented import from_study, title_of
    from node.drafting.variables import variable_name
    from node.drafting.written import codebook_text

    study = read_ddi(file)
    found = from_study(study, file)
    waves = {wave: terminal.words("data.draft.wave", wave=wave) for wave in found.waves}
    called = variable_name(name or file.stem, set())
    children = min(found.children, _MOST_PERSONS) or 4
    title = title_of(study, terminal.lang)
    return found, codebook_text(called, found.variables, found.units, waves, terminal.lang, children, title)


def _write(out: Path, text: str, terminal: Terminal) -> None:
    if out.exists():
        terminal.stop(BAD_INPUT, "exists", "data.draft.exists_file", path=str(out))
    try:
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        detail = error.strerror or type(error).__name__
        terminal.stop(REFUSED, "writing", "data.draft.not_written", path=str(out), detail=detail)


def _tell(found: FromStudy, terminal: Terminal, *, to_out: bool) -> None:
    """What lacks, line by line; behind remarks where the draft itself is printed."""
    front = "# " if to_out else ""
    if terminal.as_json:
        return
    print(front + terminal.words("data.draft.told.found", count=len(found.variables)))
    for one in found.lacking:
        place = terminal.words(f"data.ddi.lacks.{one.what}")
        print(f"{front}{one.file}:{one.line}: {one.name}: {place}")
    for left in found.left_out:
        print(f"{front}{left.column}: {terminal.words(f'data.draft.why.{left.why}')}")
