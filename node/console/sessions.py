"""Who is logged in at the screen: sessions in memory, each with a token against forms that others made."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from node.entropy import token
from policies.study.text import Language

IDLE_S = 30 * 60
LONGEST_S = 10 * 60 * 60
MOST_SESSIONS = 8
COOKIE = "rondgang"


@dataclass(slots=True)
class Session:
    """One login. `csrf` stands in every form of its pages; `seen` is when it last asked for anything."""

    lang: Language
    begun: float
    seen: float
    csrf: str = field(default_factory=token)

    def alive(self, now: float) -> bool:
        return now - self.seen <= IDLE_S and now - self.begun <= LONGEST_S


class Sessions:
    """All sessions, by the hash of their cookie: what is in memory logs nobody in. `now` is a monotonic clock in s.

    A session ends IDLE_S after its last request, LONGEST_S after its first, at logout, and with the process.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: dict[str, Session] = {}

    def open(self, lang: Language) -> str:
        """A new session's cookie. Above MOST_SESSIONS the one that was idle longest ends."""
        self._sweep()
        while len(self._held) >= MOST_SESSIONS:
            del self._held[min(self._held, key=lambda key: self._held[key].seen)]
        cookie, now = token(), self._now()
        self._held[_key(cookie)] = Session(lang, now, now)
        return cookie

    def find(self, cookie: str) -> Session | None:
        """The live session of a cookie; its idle time begins anew."""
        self._sweep()
        found = self._held.get(_key(cookie))
        if found is not None:
            found.seen = self._now()
        return found

    def close(self, cookie: str) -> None:
        self._held.pop(_key(cookie), None)

    def _sweep(self) -> None:
        now = self._now()
        for key in [key for key, session in self._held.items() if not session.alive(now)]:
            del self._held[key]


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode("utf-8"), other.encode("utf-8"))


def _key(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8")).hexdigest()
