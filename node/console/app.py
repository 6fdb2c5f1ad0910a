"""The screen's addresses, and what stands before all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from node.console import caring, entering, filed, pages, policies, programmes
from node.console.pin import Pin
from node.console.screen import Screen, View, for_steward
from node.console.security import Guard, hosts_of
from node.console.sessions import Sessions
from node.home import Home

STATIC = Path(__file__).parent / "static"
_LOOKS: tuple[tuple[str, View], ...] = (
    ("/", pages.overview),
    ("/programmes", programmes.programmes),
    ("/programmes/{hash}", programmes.programme),
    ("/history", pages.ledger),
    ("/history/{seq}", pages.ledger_entry),
    ("/decisions", filed.decisions),
    ("/decisions/{name}", filed.decision),
    ("/data", caring.data),
    ("/policy", policies.policy),
    ("/doctor", caring.doctor),
    ("/help", pages.help_page),
)
_ACTS: tuple[tuple[str, View], ...] = (
    ("/programmes/{hash}/approve", programmes.approve),
    ("/programmes/{hash}/refuse", programmes.refuse),
    ("/programmes/{hash}/example", programmes.show_example),
    ("/policy/check", policies.check),
    ("/policy/adopt", policies.adopt),
    ("/pause", caring.pause),
    ("/resume", caring.resume),
    ("/lang", entering.speak),
    ("/logout", entering.log_out),
)


def _wall() -> int:
    return int(time.time())


def console(
    home: Home, port: int, now: Callable[[], float] = time.monotonic, wall: Callable[[], int] = _wall
) -> Starlette:
    """The screen of a home, for a server that listens on this port of the loopback. Raises BadHome."""
    home.config()
    screen = Screen(home, Pin(home), Sessions(now), wall)
    routes = [
        Route("/login", entering.show_login(screen), methods=["GET"]),
        Route("/login", entering.log_in(screen), methods=["POST"]),
        *(Route(path, for_steward(screen, view), methods=["GET"]) for path, view in _LOOKS),
        *(Route(path, for_steward(screen, view), methods=["POST"]) for path, view in _ACTS),
        Mount("/static", StaticFiles(directory=STATIC, follow_symlink=False)),
        Route("/{path:path}", for_steward(screen, pages.absent), methods=["GET"]),
    ]
    guard = Middleware(Guard, hosts=hosts_of(port))
    return Starlette(routes=routes, middleware=[guard], exception_handlers={404: _absent, 405: _absent})


async def _absent(_request: Request, error: Exception) -> Response:
    """Nobody learns here which addresses there are behind the login."""
    return PlainTextResponse("There is no such page.\n", getattr(error, "status_code", 404))
