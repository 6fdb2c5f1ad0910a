"""The federation that storms hit: the one in containers, with disks that can be full and nodes in a hurry."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from compose.chaos.faults import Disk, can_mount
from compose.chaos.study import delivery
from compose.containers import images
from compose.containers.engine import COMPOSE_FILE, docker
from compose.containers.federation import ContainerFederation
from compose.demo.federation import free_port
from tests.storms import study
from tests.storms.kinds import DESK, WITNESSES
from tests.storms.overlay import CLOCK_IMAGE, LINES, Overlay
from tests.storms.script import Cast

_LINED = 3
_TIGHT = 2
ROUND_S = 4
_RECONNECT = {"first_wait_ms": 100, "longest_wait_ms": 500, "rejected_wait_ms": 1_000, "keepalive_ms": 10_000}
_WITNESSING = {"within_ms": 3_000, "compare_every_s": 5}
_ROOM_BYTES = 64 * 2**20


class CannotStorm(Exception):
    """This machine does not let us do what storms do; says what it takes."""


def cast(regions: tuple[str, ...]) -> Cast:
    """The nodes, the first of them on small disks, the last behind lines of ours."""
    nodes = tuple(f"node-{region.lower()}" for region in regions)
    return Cast(nodes, nodes[-_LINED:], nodes[:_TIGHT])


@dataclass(slots=True)
class StormFederation(ContainerFederation):
    """Set up by `prepared`; its overlay and disks are there before its containers are."""

    overlay: Overlay = field(default_factory=lambda: Overlay(Path(), (), ()))
    disks: dict[str, Disk] = field(default_factory=dict)
    """By node: those that can be full."""

    def compose(self, *arguments: str) -> str:
        files = ("--file", str(COMPOSE_FILE), "--file", str(self.overlay.compose_file))
        return docker("compose", *files, *arguments, more=self._environment)

    def set_up(self, step: Callable[[str], None]) -> None:
        """As elsewhere, in a hurry, and with some nodes behind lines of ours."""
        ContainerFederation.set_up(self, step)
        self.overlay.write(self.user)
        for region in self.regions:
            node = self.service(region)
            here: dict[str, object] = {"reconnect": _RECONNECT, "witnessing": _WITNESSING}
            if node in self.overlay.lined:
                witnesses = [self.overlay.address(node, witness) for witness in WITNESSES]
                here = {**here, "coordinator": self.overlay.address(node, DESK), "witnesses": witnesses}
            _settings(self.node(region), here)
        _settings(self.coordinator, {"secure_round_timeout_s": ROUND_S})

    def start(self, step: Callable[[str], None], timeout_s: float = 240.0) -> None:
        if self.overlay.lined:
            self.compose("up", "--detach", LINES)
        ContainerFederation.start(self, step, timeout_s)

    def check_alive(self) -> None:
        """In a storm containers fall and are restarted: whoever stays away is told of by name in the end."""

    def service(self, region: str) -> str:
        """The service that is a region's node."""
        return f"node-{region.lower()}"


def build() -> None:
    """Every image that a storm needs. Raises EngineFailed."""
    images.build("node", "coordinator", "auditor", images.DATABASE)
    here = Path(__file__).parent
    images.build_apart(CLOCK_IMAGE, here / "clock.Dockerfile", here)


@contextmanager
def prepared(
    out: Path, regions: tuple[str, ...], project: str, step: Callable[[str], None]
) -> Iterator[StormFederation]:
    """A federation that is set up and not started. Raises CannotStorm. The small disks are gone after the block."""
    if os.geteuid() != 0 or not can_mount():
        raise CannotStorm("Storms kill processes of containers and fill disks in memory: that takes root, and `mount`.")
    data = {region: delivery(out / "data" / region) for region in regions}
    papers, who = study.documents(out / "documents", regions), cast(regions)
    homes = out / "homes"
    services = (*who.nodes, *WITNESSES, DESK)
    made = StormFederation(homes, data, papers, cohort=study.COHORT, project=project,
                           overlay=Overlay(out / "overlay", services, who.lined))  # fmt: skip
    made.port = free_port()
    with ExitStack() as stack:
        for region in regions:
            if made.service(region) in who.tight:
                made.disks[made.service(region)] = stack.enter_context(_disk(made.node(region)))
        made.set_up(step)
        _take_library(made.overlay.library)
        yield made


@contextmanager
def _disk(folder: Path) -> Iterator[Disk]:
    """A disk in memory where a home will be. What is on it is gone with it."""
    folder.mkdir(parents=True, mode=0o700)
    disk = Disk(folder)
    disk.mount("-t", "tmpfs", "-o", f"size={_ROOM_BYTES},mode=700", "tmpfs")
    try:
        yield disk
    finally:
        # A container that has just ended may hold it a moment longer.
        subprocess.run(["umount", "--lazy", str(folder)], check=True, capture_output=True)


def _take_library(file: Path) -> None:
    docker("run", "--rm", "--network", "none", "--volume", f"{file.parent}:/out", images.name(CLOCK_IMAGE),
           "cp", "/clock.so", f"/out/{file.name}")  # fmt: skip


def _settings(home: Path, more: Mapping[str, object]) -> None:
    """In the same file: its owner stays."""
    path = home / "config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | more), encoding="utf-8")
