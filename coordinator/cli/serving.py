"""The verb that runs the desk."""

from __future__ import annotations

import json

import typer
from rondgang.roles import Role

from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import faults
from coordinator.home import Home
from coordinator.process import serve as run


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
