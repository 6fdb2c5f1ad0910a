"""`rondgang node guarantees`: the page for a data-protection officer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from node.cli.terminal import BAD_INPUT, HomeOption, JsonOption, LangOption, faults, open_home


def guarantees(
    out: Annotated[Path, typer.Option(help="The page to write (HTML); one that is there is replaced.", dir_okay=False)],
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes which guarantees (waarborgen) hold here: one page for a data-protection officer (FG), to print.

    It says what is protected and how far under the policy in force, who is trusted for what, what is not protected,
    and where in the code each claim is argued.

    Example: rondgang node guarantees --out guarantees.html
    """
    from rondgang.software import software_version

    from node.operations import guarantees as facts_of
    from node.pages.guarantees import page
    from node.pages.paragraphs import read_proof

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        facts = facts_of(found)
        proof = read_proof()
        text = page(facts, proof, int(time.time()), software_version(), terminal.lang)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        detail = error.strerror or type(error).__name__
        terminal.stop(BAD_INPUT, "not_written", "node.results.not_written", path=str(out), detail=detail)
    terminal.say("node.results.written", path=str(out))
    told = {"file": str(out), "region": facts.region, "policy": facts.hash, "paragraphs": len(proof.paragraphs)}
    terminal.result(told | {"rooms_absent": list(proof.absent)})
