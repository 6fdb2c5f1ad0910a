"""`rondgang node console`: the steward's screen, on this machine alone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from node.cli.terminal import BAD_INPUT, LATER, HomeOption, JsonOption, LangOption, Terminal, faults, open_home

if TYPE_CHECKING:
    from node.console.pin import Pin

PORT = 8710


def console(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Where it listens on 127.0.0.1; 0 for a free one.")
    ] = PORT,
    set_pin: Annotated[bool, typer.Option("--set-pin", help="Choose a PIN first, also where there is one.")] = False,
    home: HomeOption = None,
    lang: LangOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows the node in a browser on this machine: state, budget, questions that wait, the ledger. Ctrl-C stops it.

    It listens on 127.0.0.1 only. Log in with a PIN, or with the steward's key file.

    Example: rondgang node console
    """
    from node.console.pin import Pin
    from node.console.serving import PortInUse, serve

    found, terminal = open_home(home, lang, as_json)
    with faults(terminal):
        pin = Pin(found)
        if set_pin or (not pin.there and sys.stdin.isatty()):
            _choose(terminal, pin)
        region = found.config().region

        def started(url: str) -> None:
            terminal.say("console.started", region=region, url=url)
            terminal.result({"event": "listening", "region": region, "url": url})

        try:
            serve(found, port, started)
        except PortInUse:
            terminal.stop(LATER, "port", "console.port", port=port)


def _choose(terminal: Terminal, pin: Pin) -> None:
    asked, again = terminal.words("console.choose_pin"), terminal.words("console.pin_again")
    try:
        pin.set(str(typer.prompt(asked, hide_input=True, confirmation_prompt=again, err=True)))
    except ValueError:
        terminal.stop(BAD_INPUT, "bad_pin", "console.bad_pin")
    terminal.say("console.pin_set")
