"""Getting in and out: by PIN, or by showing that one holds the steward's key; and the language of the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rondgang.errors import BadKey
from rondgang.keys import SigningKey
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from node.console.pin import MOST, Wait
from node.console.screen import Screen, Visit, render, work
from node.console.sessions import COOKIE
from node.operations import stewards
from policies.study.text import Language

LANGUAGES: tuple[Language, ...] = ("nl", "en")
Handler = Callable[[Request], Awaitable[Response]]


def show_login(screen: Screen) -> Handler:
    """The login page; whoever is in already goes on."""

    async def shown(request: Request) -> Response:
        if screen.sessions.find(request.cookies.get(COOKIE, "")) is not None:
            return RedirectResponse("/", 303)
        return _login(screen, request, 200, "")

    return shown


def log_in(screen: Screen) -> Handler:
    """A try with a PIN or a key file. The answer to a wrong one says no more than that."""

    async def tried(request: Request) -> Response:
        async with request.form(max_files=1, max_fields=5) as form:
            lang = _language(screen, str(form.get("lang", "")))
            given, key = form.get("pin"), form.get("key")
            shown = await key.read() if isinstance(key, UploadFile) else b""
        if shown:
            if await work(_holds_key, screen, shown):
                return _entered(screen, lang)
            return _login(screen, request, 403, "console.login.wrong_key")
        pin = given if isinstance(given, str) else ""
        outcome = await work(screen.pin.attempt, pin[: MOST + 1], screen.wall())
        match outcome:
            case "right":
                return _entered(screen, lang)
            case Wait(seconds=seconds):
                return _login(screen, request, 429, "console.login.wait", seconds=seconds)
            case "none":
                return _login(screen, request, 403, "console.login.no_pin")
            case _:
                return _login(screen, request, 403, "console.login.wrong_pin")

    return tried


async def log_out(visit: Visit) -> Response:
    """Ends the session here and in the browser."""
    visit.screen.sessions.close(visit.request.cookies.get(COOKIE, ""))
    gone = RedirectResponse("/login", 303)
    gone.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return gone


async def speak(visit: Visit) -> Response:
    """Another language for this session; back to the page that asked for it."""
    visit.session.lang = _language(visit.screen, visit.text("lang"))
    back = visit.text("back")
    # Only a path of our own: never another site's.
    return RedirectResponse(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/", 303)


def _login(screen: Screen, request: Request, status: int, key: str, **fields: int) -> Response:
    lang = _language(screen, request.query_params.get("lang", ""))
    told = {"problem": key, "fields": fields, "has_pin": screen.pin.there}
    page = render("login.html", lang, status, path="/login", region=screen.home.config().region, **told)
    if "seconds" in fields:
        page.headers["retry-after"] = str(fields["seconds"])
    return page


def _entered(screen: Screen, lang: Language) -> Response:
    inside = RedirectResponse("/", 303)
    # No `secure`: the screen is on this machine alone, without TLS.
    inside.set_cookie(COOKIE, screen.sessions.open(lang), path="/", httponly=True, samesite="strict")
    return inside


def _holds_key(screen: Screen, pem: bytes) -> bool:
    """Whether this is the private key of one of the region's stewards. It is kept nowhere."""
    try:
        return SigningKey.from_pem(pem).public.hex in stewards(screen.home).keys
    except BadKey:
        return False


def _language(screen: Screen, wanted: str) -> Language:
    return next((lang for lang in LANGUAGES if lang == wanted), screen.lang)
