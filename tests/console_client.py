"""The screen without a browser: a client that sends what a browser sends from one of its own pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from starlette.testclient import TestClient

from node.home import Home
from tests.small_study import OPEN

PORT = 8710
BASE = f"http://127.0.0.1:{PORT}"
PIN = "vijf koeien"


@dataclass
class Time:
    """Both clocks, as the test says."""

    at: int = OPEN

    def __call__(self) -> int:
        return self.at


@dataclass
class Browser:
    """A client that sends what a browser sends from one of the screen's own pages."""

    client: TestClient
    clock: Time
    home: Home
    headers: dict[str, str] = field(default_factory=lambda: {"origin": BASE})

    def log_in(self, pin: str = PIN) -> int:
        return int(self.client.post("/login", data={"pin": pin}, headers=self.headers).status_code)

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', self.client.get("/help").text)
        assert found is not None
        return found[1]
