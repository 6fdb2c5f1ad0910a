"""`rondgang node pause` and `resume`: the steward's own switch."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from node.cli.terminal import BAD_INPUT, HomeOption, JsonOption, LangOption, faults, open_home


def pause(
    until: Annotated[
        str | None, typer.Option(help="2027-03-01, 2027-03-01T12:00Z, 8h, 3d or 2w; until `resume` when left out.")
    ] = None,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Has the node answer nothing new for a while. Questions wait until their deadline; nothing is charged or lost.

    Answers that were given before are given again. A running node notices at once.

    Example: rondgang node pause --until 3d
    """
    from node.operations import rest
    from node.pausing import until_of
    from policies.pages.dates import moment

    found, terminal = open_home(home, lang, as_json)
    now = int(time.time())
    end = None if until is None else until_of(until, now)
    if until is not None and end is None:
        terminal.stop(BAD_INPUT, "bad_until", "decide.pause.bad_until", given=until[:40])
    with faults(terminal):
        rest(found, end)
    if end is None:
        terminal.say("decide.pause.done")
    else:
        terminal.say("decide.pause.until", until=moment(end, terminal.lang))
    terminal.result({"paused": True, "since": now, "until": end})


def resume(home: HomeOption = None, lang: LangOption = None, as_json: JsonOption = False) -> None:
    """Ends a pause: questions that waited are answered, as far as the policy allows.

    Example: rondgang node resume
    """
    from node.operations import wake

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        ended = wake(found)
    terminal.say("decide.resume.done" if ended else "decide.resume.none")
    terminal.result({"paused": False, "ended": ended})
