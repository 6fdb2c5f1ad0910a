"""`rondgang node health`: for whatever keeps a node running, such as a container engine."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from node.cli.terminal import REFUSED, HomeOption, JsonOption, LangOption, open_home


def health(
    home: HomeOption = None,
    attending: Annotated[bool, typer.Option("--attending", help="Also 1 while it is not connected.")] = False,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tells whether a node serves this home and answers; ends with 1 where none does. It never takes the home itself.

    A node whose desk cannot be reached is healthy: it keeps trying. With --attending that ends with 1 too.

    Example: rondgang node health
    """
    from node.control import ask
    from node.errors import Unreachable
    from node.status import Status

    found, terminal = open_home(home, lang, as_json)
    region, response = found.config().region, None
    # That nobody listens is said below.
    with suppress(Unreachable):
        response = ask(found, "status", {})
    status = None if response is None or response.fault else Status.model_validate_json(response.result)
    serving, connected = status is not None, status is not None and status.connected
    if status is None:
        terminal.say("node.status.stopped", region=region)
    elif connected:
        terminal.say("node.status.attending", region=region, coordinator=status.coordinator, answered=status.answered)
    else:
        terminal.say("node.status.away", region=region, coordinator=status.coordinator)
    terminal.result({"region": region, "serving": serving, "attending": connected})
    if not serving or (attending and not connected):
        raise typer.Exit(REFUSED)
