"""The verbs that run the desk, and ask it whether it serves."""

from __future__ import annotations

import json

import typer
from rondgang.roles import Role

from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import REFUSED, faults, say
from coordinator.health import probe
from coordinator.home import Home
from coordinator.process import serve as run

_PROBE_S = 5.0


def serve(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Runs the desk until it is stopped (SIGTERM, Ctrl-C). Says in one line where it listens; logs to stderr.

    Runs that were open when it stopped go on. The port also stands in the file `port` of the folder.

    Example: rondgang coordinator serve --home desk
    """

    def listening(address: str) -> None:
        print(json.dumps({"listening": address}) if as_json else f"Listening on {address}.", flush=True)

    with faults(as_json):
        try:
            run(Home.find(home, Role.COORDINATOR), listening)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None


def health(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Tells whether the desk that runs on this folder serves, by the standard gRPC health service; 1 where it does not.

    Example: rondgang coordinator health --home desk
    """
    with faults(as_json):
        serving = probe(Home.find(home, Role.COORDINATOR), _PROBE_S)
    say(as_json, {"serving": serving}, "The desk serves." if serving else "The desk does not serve.")
    if not serving:
        raise typer.Exit(REFUSED)
