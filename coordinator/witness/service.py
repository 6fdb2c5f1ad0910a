"""The desk's WitnessService: for regions on the adopted roster, each for its own log only.

The cosignature leaves after what it rests on is in the store, and the store says that it is on disk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from rondgang.keys import SigningKey
from rondgang.roles import Role
from rondgang.v1 import witness_pb2, witness_pb2_grpc

from coordinator.log import fault, note
from coordinator.peers import REASON_KEY, caller
from coordinator.store.store import Store, Stored
from coordinator.study import Study
from coordinator.witness.commits import Commits
from coordinator.witness.store import add, exchange_with
from policies.rules.refusals import Refused
from policies.rules.witness import Ask, Cosigned, Fork, NotCosigned, Reply
from policies.study.roster import Roster
from policies.wire.witness import exchanged_to_wire, reply_to_wire, shown_from_wire, submission_from_wire

Context = grpc.aio.ServicerContext[Any, Any]

_CLOCK_S = 60
"""Cosignatures never go back in time; nodes do not count those of a witness whose clock was that far ahead for long."""


class WitnessService(witness_pb2_grpc.WitnessServiceServicer):
    """Seams: the store and its thread, the key that cosigns, the documents in force, the clock."""

    def __init__(
        self, store: Store, stored: Stored, key: SigningKey, study: Callable[[], Study], clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._stored = stored
        self._key = key
        self._study = study
        self._clock = clock
        self._commits = Commits(self._commit)

    async def AddCheckpoint(  # noqa: N802 - the name is in the contract
        self, request: witness_pb2.AddCheckpointRequest, context: Context
    ) -> witness_pb2.AddCheckpointResponse:
        """Cosigns what extends the log that was seen last, or says why not. The cosigned checkpoint is durable."""
        async with self._call(context) as (roster, region):
            reply = await self._commits.add(Ask(roster, region, submission_from_wire(request)))
            _tell(region, reply, self._clock())
            return reply_to_wire(reply)

    async def Exchange(  # noqa: N802 - the name is in the contract
        self, request: witness_pb2.ExchangeRequest, context: Context
    ) -> witness_pb2.ExchangeResponse:
        """Takes in checkpoints of other regions; gives the caller's own last one, and the newest of the others."""
        async with self._call(context) as (roster, region):
            shown = shown_from_wire(request)
            exchanged = await self._stored(lambda: exchange_with(self._store, roster, region, shown, self._clock()))
            for fork in exchanged.forks:
                _tell_fork(fork)
            return exchanged_to_wire(exchanged)

    @asynccontextmanager
    async def _call(self, context: Context) -> AsyncIterator[tuple[Roster, str]]:
        """Admits a live region, under the roster of this moment; a fault ends the call with nothing cosigned."""
        try:
            roster = self._study().roster.document
            member = caller(context, roster, {Role.REGION}, self._clock())
            if isinstance(member, Refused):
                note("call_refused", loud=True, reason=member.reason.value)
                reason = ((REASON_KEY, member.reason.value),)
                await context.abort(grpc.StatusCode.PERMISSION_DENIED, member.sentence, reason)
            yield roster, str(member.region)
        except (grpc.aio.AbortError, GeneratorExit):
            raise
        except Exception as error:
            fault("call_failed", error)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "The desk cannot do this now. Its log says where.")

    async def _commit(self, asks: list[Ask]) -> list[Reply]:
        return await self._stored(lambda: add(self._store, asks, self._key, self._clock()))


def _tell(region: str, reply: Reply, now: int) -> None:
    match reply:
        case Cosigned(_, time):
            note("cosigned", region=region)
            if time > now + _CLOCK_S:
                note("clock_went_back_look_at_it", loud=True)
        case NotCosigned(why, _, fork):
            note("not_cosigned", loud=True, region=region, reason=why.value)
            if fork is not None:
                _tell_fork(fork)
        case _:
            note("saw_another_size", region=region)


def _tell_fork(fork: Fork) -> None:
    note("FORK_KEPT_export_the_evidence", loud=True, region=fork.region, reason=fork.why)
