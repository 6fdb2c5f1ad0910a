"""A home by the real clock whose two witnesses, the desk and an independent one, listen on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rondgang.roles import Role

from node.home import Home, WitnessAddress, write_config
from tests.applicants import authority
from tests.node_desk import Address
from tests.node_world import always_roster, make_home, put_snapshot
from tests.witnesses import Witness, WitnessServer


def now() -> int:
    return int(time.time())


def two_witnesses() -> tuple[Witness, ...]:
    return tuple(Witness(label, always_roster, now) for label in ("desk", "witness"))


@contextmanager
def watched_home(folder: Path, watching: tuple[Witness, ...]) -> Iterator[Home]:
    """An enrolled home with a snapshot in force; its witnesses listen while the block runs."""
    root = authority(now=now())
    with ExitStack() as open_:
        ports = [
            open_.enter_context(WitnessServer(witness, root).listening(role)).port
            for witness, role in zip(watching, (Role.COORDINATOR, Role.WITNESS), strict=True)
        ]
        made = make_home(folder, f"localhost:{ports[0]}", always=True)
        independent = WitnessAddress(address=f"localhost:{ports[1]}")
        write_config(made, made.config().model_copy(update={"witnesses": (independent,)}))
        Address(root, b"", 0).enrol(made)
        put_snapshot(made)
        yield made
