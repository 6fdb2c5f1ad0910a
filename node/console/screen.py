"""What every page of the screen shares: who is looking, in which language, and how a page is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from node.console.pin import Pin
from node.console.sessions import COOKIE, Session, Sessions, same
from node.errors import NodeError
from node.home import Home
from node.region import NotReady
from policies.pages.templates import environment
from policies.pages.words import say
from policies.study.text import Language

TEMPLATES = Path(__file__).parent / "templates"
CSRF = "csrf"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Screen:
    """The screen of one home. `wall` gives unix seconds."""

    home: Home
    pin: Pin
    sessions: Sessions
    wall: Callable[[], int]

    @property
    def lang(self) -> Language:
        return self.home.config().lang


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is logged in. `form` is what a POST brought, its token already checked."""

    screen: Screen
    request: Request
    session: Session
    form: FormData

    @property
    def home(self) -> Home:
        return self.screen.home

    @property
    def lang(self) -> Language:
        return self.session.lang

    def words(self, key: str, **fields: str | int) -> str:
        return say(key, self.lang, **fields)

    def text(self, name: str) -> str:
        """A field of the form; empty where it is not there or is a file."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def page(self, template: str, status: int = 200, **content: object) -> Response:
        """A page, or only its part where htmx asks for a part."""
        return render(template, self.lang, status, path=self.request.url.path, csrf=self.session.csrf, **content)

    def problem(self, status: int, key: str, **fields: str | int) -> Response:
        """A page with one sentence that says what is the matter and what to do."""
        return self.page("problem.html", status, sentence=self.words(key, **fields))


View = Callable[[Visit], Awaitable[Response]]


async def work(function: Callable[..., T], *arguments: object) -> T:
    """Runs what waits for the node or the disk beside the event loop."""
    return await run_in_threadpool(partial(function, *arguments))


def render(template: str, lang: Language, status: int = 200, **content: object) -> Response:
    """A page from a template; `words` gives sentences of the catalogue."""
    made = environment(TEMPLATES).get_template(template)
    return HTMLResponse(made.render(lang=lang, words=partial(say, lang=lang), **content), status)


def for_steward(screen: Screen, view: View) -> Callable[[Request], Awaitable[Response]]:
    """The view, for whoever is logged in; for others the way to the login. A POST needs its page's token."""

    async def seen(request: Request) -> Response:
        session = screen.sessions.find(request.cookies.get(COOKIE, ""))
        if session is None:
            if "hx-request" in request.headers:
                return Response(status_code=401, headers={"hx-redirect": "/login"})
            return RedirectResponse("/login", 303)
        if request.method != "POST":
            return await _guarded(Visit(screen, request, session, FormData()), view)
        async with request.form(max_files=1, max_fields=20) as form:
            visit = Visit(screen, request, session, form)
            if not same(visit.text(CSRF), session.csrf):
                return visit.problem(403, "console.problem.form")
            return await _guarded(visit, view)

    return seen


async def _guarded(visit: Visit, view: View) -> Response:
    """Turns the node's faults into a page with a sentence."""
    try:
        return await view(visit)
    except NotReady as error:
        missing = ", ".join(visit.words(f"node.missing.{kind}") for kind in error.missing)
        return visit.problem(503, "node.fault.not_ready", missing=missing)
    except NodeError as error:
        return visit.problem(503, "node.fault.other", detail=str(error))
