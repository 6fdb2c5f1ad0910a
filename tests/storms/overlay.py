"""What storms lay over the federation's containers, as a second Compose file: clocks, lines, and no health checks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compose.containers.images import name
from tests.storms.kinds import DESK, WITNESSES

LINES = "lines"
CLOCK_IMAGE = "clock"
USUAL_MS = 120
"""So late is each byte on a line of ours on an ordinary day: rounds then last long enough for a fault to hit them."""
_HERE = Path(__file__).parent
_FIRST_PORT = 7001
_SERVED = 8443


@dataclass(frozen=True, slots=True)
class Overlay:
    """Files in `folder`, which containers read: the library, a clock for each service, and how the lines are."""

    folder: Path
    services: Sequence[str]
    lined: Sequence[str]
    """The nodes that reach everybody through lines of ours."""

    @property
    def library(self) -> Path:
        return self.folder / "clock.so"

    @property
    def compose_file(self) -> Path:
        return self.folder / "overlay.json"

    def port(self, node: str, server: str) -> int:
        """Where the line from a node to the desk or a witness begins."""
        servers = (DESK, *WITNESSES)
        return _FIRST_PORT + self.lined.index(node) * len(servers) + servers.index(server)

    def address(self, node: str, server: str) -> Mapping[str, str]:
        """What stands in a node's settings for the desk or a witness behind a line."""
        return {"address": f"{LINES}:{self.port(node, server)}", "name": server}

    def write(self, user: tuple[int, int]) -> None:
        """Everything but the library, with right clocks and good lines."""
        for part in ("clocks", "lines"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for service in self.services:
            self.set_clock(service, 0)
        for node in self.lined:
            self.set_line(node)
        self.compose_file.write_text(json.dumps(self._compose(user)), encoding="utf-8")

    def set_clock(self, service: str, by_s: int) -> None:
        """A service's clock is so many seconds ahead (or behind) from now on."""
        _put(self.folder / "clocks" / service, f"{by_s:+d}")

    def set_line(self, node: str, delay_ms: int = USUAL_MS, *, broken: bool = False) -> None:
        """How the lines between a node and the servers are from now on."""
        file = self.folder / "lines" / "lines.json"
        lines: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        for server in (DESK, *WITNESSES):
            to = {"to": f"{server}:{_SERVED}", "delay_ms": delay_ms, "broken": broken}
            lines[str(self.port(node, server))] = to
        _put(file, json.dumps(lines))

    def _compose(self, user: tuple[int, int]) -> Mapping[str, Any]:
        clocked = {
            service: {
                "environment": {"LD_PRELOAD": "/clock.so", "STORM_CLOCK": f"/clocks/{service}"},
                "volumes": [f"{self.library}:/clock.so:ro", f"{self.folder / 'clocks'}:/clocks:ro"],
                # A check starts an interpreter, and sixteen of those every half minute would be most of the load.
                "healthcheck": {"disable": True},
            }
            for service in self.services
        }
        lines = {
            "image": name("auditor"),
            "entrypoint": ["python3", "/line.py", "/lines/lines.json"],
            "user": ":".join(map(str, user)),
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "healthcheck": {"disable": True},
            "volumes": [f"{_HERE / 'line.py'}:/line.py:ro", f"{self.folder / 'lines'}:/lines:ro"],
            "networks": [f"region-{node.removeprefix('node-')}" for node in self.lined],
        }
        return {"services": {**clocked, **({LINES: lines} if self.lined else {})}}


def _put(file: Path, text: str) -> None:
    """In one step: whoever reads it meanwhile finds the old text or the new one."""
    fresh = file.with_name(f".{file.name}.fresh")
    fresh.write_text(text, encoding="ascii")
    fresh.replace(file)
