"""The verb that hands an auditor what the desk was given."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rondgang.roles import Role
from sqlalchemy import URL

from coordinator.cli.options import HomeOption, JsonOption
from coordinator.cli.output import faults, say
from coordinator.errors import BadHome
from coordinator.evidence import export
from coordinator.home import CoordinatorConfig, Home
from coordinator.process import store_address
from coordinator.store.store import open_store
from policies.study.text import some


def export_evidence(
    out: Annotated[Path, typer.Option(help="File to write; replaced if it is there.", dir_okay=False)],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Writes the desk's bundle of evidence, for `rondgang audit verify`; also while the desk runs.

    In it: the documents it worked by, what it asked, every checkpoint that it was given and cosigned, every answer
    as it came, and forks.

    Example: rondgang coordinator export-evidence --out coordinator.bundle --home desk
    """
    with faults(as_json):
        place = Home.find(home, Role.COORDINATOR)
        address = store_address(place, place.config(CoordinatorConfig))
        if isinstance(address, URL) and not Path(str(address.database)).is_file():
            raise BadHome(f"No desk has run on {place.folder}. Start it: rondgang coordinator serve --home DIR")
        with open_store(address) as store:
            made = export(place, store, out, int(time.time()))
        sealed_by = place.signing_key().public.fingerprint
    say(
        as_json,
        {
            "out": str(out),
            "documents": made.documents,
            "checkpoints": made.checkpoints,
            "forks": made.forks,
            "answers": made.answers,
            "sealed_by": sealed_by,
        },
        f"{some(made.checkpoints, 'checkpoint')}, {some(made.answers, 'answer')}, "
        f"{some(made.documents, 'document')} and {some(made.forks, 'fork')} are in {out}.",
        f"Sealed by our key with the fingerprint {sealed_by}.",
    )
