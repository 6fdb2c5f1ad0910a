"""Verbs of the independent witness: witness, health, forks, export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audit.cli.options import HomeOption, JsonOption

# Each verb loads what it needs when it runs.
if TYPE_CHECKING:
    from rondgang.canonical import Json

    from audit.home import Home
    from audit.witness.store import Store

_MEANING = {
    "forked": "it signed two different logs of one size",
    "bad_proof": "it signed a log that it did not prove to be an extension of the one before",
    "bad_reset": "it opened a new epoch that does not commit to all that was cosigned of the one before",
}

_PROBE_S = 5.0


def witness(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Runs the witness until it is stopped (SIGTERM, Ctrl-C). Says in one line where it listens; logs to stderr.

    It remembers the last checkpoint of every region and cosigns what extends it, never a smaller or another log. The
    port also stands in the file `port` of the folder.

    Example: rondgang audit witness --home witness
    """
    import json

    from audit.cli.output import faults
    from audit.home import Home
    from audit.witness.process import serve

    def listening(address: str) -> None:
        print(json.dumps({"listening": address}) if as_json else f"Listening on {address}.", flush=True)

    with faults(as_json):
        try:
            serve(Home.find(home), listening)
        except KeyboardInterrupt:
            raise typer.Exit(0) from None


def health(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Tells whether the witness that runs on this folder serves, by the standard gRPC health service; 1 where not.

    Example: rondgang audit health --home witness
    """
    from audit.cli.output import REFUSED, faults, say
    from audit.home import Home
    from audit.witness.health import probe

    with faults(as_json):
        serving = probe(Home.find(home), _PROBE_S)
    say(as_json, {"serving": serving}, "The witness serves." if serving else "The witness does not serve.")
    if not serving:
        raise typer.Exit(REFUSED)


def forks(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Lists the evidence of logs that contradict themselves: what was cosigned or seen, and what was shown later.

    Ends with 1 where there is any: ask that region's steward for its bundle of evidence, and run `audit verify`.

    Example: rondgang audit forks --home witness
    """
    from audit.cli.output import REFUSED, faults, say

    with faults(as_json), _opened(home) as (_, store):
        found = store.forks()
    lines = []
    for fork in found:
        when = dt.datetime.fromtimestamp(fork.at, dt.UTC).isoformat(timespec="seconds")
        lines += [f"Region {fork.region}, {when}: {_MEANING[fork.why]}.", "What we held:", fork.held]
        lines += ["What it showed:", fork.offered]
    facts: list[Json] = [
        {"region": fork.region, "why": fork.why, "at": fork.at, "held": fork.held, "offered": fork.offered}
        for fork in found
    ]
    say(as_json, {"forks": facts}, *(lines or ["No region has shown us a log that contradicts itself."]))
    if found:
        raise typer.Exit(REFUSED)


def export(
    out: Annotated[Path, typer.Option(help="File to write; replaced if it is there.", dir_okay=False)],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes the witness's bundle of evidence, for `rondgang audit verify`. A running witness is not held up.

    Example: rondgang audit export --out witness.bundle --home witness
    """
    import time

    from audit.cli.output import faults, say
    from audit.export import export as write_bundle

    with faults(as_json), _opened(home) as (place, store):
        made = write_bundle(place, store, out, int(time.time()))
        sealed_by = place.signing_key().public.fingerprint
    say(
        as_json,
        {
            "out": str(out),
            "documents": made.documents,
            "checkpoints": made.checkpoints,
            "forks": made.forks,
            "sealed_by": sealed_by,
        },
        f"{made.checkpoints} checkpoints, {made.documents} documents and {made.forks} forks are in {out}.",
        f"Sealed by our key with the fingerprint {sealed_by}.",
    )


@contextmanager
def _opened(home: Path | None) -> Iterator[tuple[Home, Store]]:
    """What a witness remembers, also while it runs. Raises `BadHome` where none has run."""
    from audit.errors import BadHome
    from audit.home import Home
    from audit.witness.store import open_store

    place = Home.find(home)
    if not place.store.is_file():
        raise BadHome(f"No witness has run on {place.folder}. Start it: rondgang audit witness --home DIR")
    with open_store(place.store) as store:
        yield place, store
