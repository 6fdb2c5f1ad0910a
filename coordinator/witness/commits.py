"""Group commit: what arrives while the disk is busy goes into the next commit together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from policies.rules.witness import Ask, Reply

Commit = Callable[[list[Ask]], Awaitable[list[Reply]]]
"""Considers all of them in order, in one transaction; durable when done."""


class Commits:
    """One commit at a time, in the order of arrival. Lives on one event loop; constructed on it."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._waiting: list[tuple[Ask, asyncio.Future[Reply]]] = []
        self._working: asyncio.Task[None] | None = None

    async def add(self, ask: Ask) -> Reply:
        """The reply, once what it rests on is durable. A caller that gives up changes nothing for the others."""
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, reply))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await reply

    async def _work(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            asked = [ask for ask, _ in taken]
            try:
                outcomes: list[Reply | Exception] = [*await self._commit(asked)]
            # Nothing of this commit is on disk; each caller is told, and what came meanwhile is tried.
            except Exception as error:
                outcomes = [error] * len(taken)
            for (_, reply), outcome in zip(taken, outcomes, strict=True):
                if reply.done():
                    continue
                if isinstance(outcome, Exception):
                    reply.set_exception(outcome)
                else:
                    reply.set_result(outcome)
        self._working = None
