"""What every request to the screen must be, before any page sees it, and what every reply says of itself. Pure ASGI.

The screen listens on the loopback, but so may a page from elsewhere in the same browser try to reach it. So a request
is for one of our own names (no DNS rebinding), a change comes from our own pages (Origin, and a token in the form, see
sessions.py), is of a method that we know, and is small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = frozenset(("GET", "HEAD", "POST"))
MOST_BYTES = 1_000_000
"""Of a request's body: a form, a key file or a policy."""
LONGEST_PATH = 512

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With `no-referrer` a browser would call our own forms' origin `null`.
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""On every reply, errors included."""
_POLICY = "content-security-policy"
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""In its place on a file that is given away: should a browser show it after all, it is styled and does nothing."""


class TooLarge(Exception):
    """A body that went on beyond what it may be."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request goes no further; the text names nothing of the request."""

    status: int
    text: str


def hosts_of(port: int) -> frozenset[str]:
    """The names under which the screen is reached."""
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


def check(method: str, path: str, headers: Headers, hosts: frozenset[str]) -> Refusal | None:
    """The first thing wrong with a request, or None.

    A change without an Origin is refused too: browsers send it with every form.
    """
    if method not in METHODS:
        return Refusal(405, "This method is not used here.")
    if headers.getlist("host") != [headers.get("host")] or headers["host"].lower() not in hosts:
        return Refusal(421, "Open the address that `rondgang node console` printed.")
    if len(path) > LONGEST_PATH or "\\" in path or "\0" in path or ".." in path.split("/"):
        return Refusal(400, "There is no such address here.")
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return Refusal(403, "This came from another site.")
    if method != "POST":
        return None
    origin = headers.get("origin", "")
    if not origin.startswith("http://") or origin.removeprefix("http://").lower() != headers["host"].lower():
        return Refusal(403, "This did not come from a page of this screen.")
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        return Refusal(411, "Say how long it is.")
    return Refusal(413, "This is too large.") if int(length) > MOST_BYTES else None


class Guard:
    """Lets through what `check` has nothing against, stops bodies that go on too long, and sets HEADERS."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            # Starlette's own start and end; there are no web sockets here.
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        taken = 0

        async def measured() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MOST_BYTES:
                raise TooLarge
            return message

        begun = False

        async def marked(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    # A file that is given away says for itself how little it may do.
                    if not (name == _POLICY and headers.get(name) == FILE_POLICY):
                        headers[name] = value
            await send(message)

        found = check(scope["method"], scope["path"], Headers(scope=scope), self._hosts)
        try:
            if found is None:
                await self._app(scope, measured, marked)
                return
        except TooLarge:
            if begun:
                raise
            found = Refusal(413, "This is too large.")
        await PlainTextResponse(f"{found.text}\n", found.status)(scope, receive, marked)
