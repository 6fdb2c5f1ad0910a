"""DeskService: a researcher's calls, from mutual TLS to values and back."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import grpc
from rondgang.roles import Role
from rondgang.v1 import desk_pb2, desk_pb2_grpc

from coordinator.desk import wire
from coordinator.desk.front import Front
from coordinator.errors import (
    BadBackup,
    BadHome,
    CallFailed,
    CoordinatorError,
    DeskRefused,
    NotFound,
    NotPermitted,
    StoreAway,
    StoreTooNew,
    TooManyRuns,
    UnknownCodebook,
    UnknownRun,
    Unreachable,
)
from coordinator.log import fault, note
from coordinator.peers import REASON_KEY, caller
from coordinator.study import Study
from policies.rules.refusals import Refused

STATUS: dict[type[CoordinatorError], grpc.StatusCode] = {
    NotPermitted: grpc.StatusCode.PERMISSION_DENIED,
    UnknownRun: grpc.StatusCode.NOT_FOUND,
    UnknownCodebook: grpc.StatusCode.NOT_FOUND,
    DeskRefused: grpc.StatusCode.FAILED_PRECONDITION,
    BadBackup: grpc.StatusCode.INTERNAL,
    BadHome: grpc.StatusCode.INTERNAL,
    StoreAway: grpc.StatusCode.UNAVAILABLE,
    TooManyRuns: grpc.StatusCode.RESOURCE_EXHAUSTED,
    StoreTooNew: grpc.StatusCode.INTERNAL,
    Unreachable: grpc.StatusCode.UNAVAILABLE,
    CallFailed: grpc.StatusCode.INTERNAL,
    NotFound: grpc.StatusCode.NOT_FOUND,
}
"""The status of every fault of this room, in one table. Any other exception is INTERNAL and keeps its message here."""

READERS = frozenset({Role.RESEARCHER, Role.WITNESS})
"""Who may see what is public among the parties: regions, calendar and the documents in force."""

Context = grpc.aio.ServicerContext[Any, Any]


class DeskService(desk_pb2_grpc.DeskServiceServicer):
    """Seams: the desk's front, the documents in force, the clock."""

    def __init__(self, front: Front, study: Callable[[], Study], clock: Callable[[], int]) -> None:
        self._front = front
        self._study = study
        self._clock = clock

    async def Study(self, request: desk_pb2.StudyRequest, context: Context) -> desk_pb2.StudyResponse:  # noqa: N802
        async with self._call(context, READERS):
            return wire.study_to_wire(self._front.study(request.codebook))

    async def Regions(self, request: desk_pb2.RegionsRequest, context: Context) -> desk_pb2.RegionsResponse:  # noqa: N802
        async with self._call(context, READERS):
            return desk_pb2.RegionsResponse(regions=map(wire.region_to_wire, await self._front.regions()))

    async def Calendar(self, request: desk_pb2.CalendarRequest, context: Context) -> desk_pb2.CalendarResponse:  # noqa: N802
        async with self._call(context, READERS):
            return desk_pb2.CalendarResponse(signed_calendar=self._study().calendar.data)

    async def Price(self, request: desk_pb2.PriceRequest, context: Context) -> desk_pb2.PriceResponse:  # noqa: N802
        async with self._call(context):
            return wire.prices_to_wire(await self._front.price(request.signed_programme, secrets.token_hex(8)))

    async def Submit(self, request: desk_pb2.SubmitRequest, context: Context) -> desk_pb2.SubmitResponse:  # noqa: N802
        async with self._call(context):
            return wire.submitted_to_wire(await self._front.submit(request.signed_programme, request.again))

    async def Watch(  # noqa: N802
        self, request: desk_pb2.WatchRequest, context: Context
    ) -> AsyncIterator[desk_pb2.WatchResponse]:
        async with self._call(context):
            async for progress in self._front.watch(request.run):
                yield wire.progress_to_wire(progress)

    async def Results(self, request: desk_pb2.ResultsRequest, context: Context) -> desk_pb2.ResultsResponse:  # noqa: N802
        async with self._call(context):
            return wire.results_to_wire(await self._front.results(request.run))

    async def Trends(self, request: desk_pb2.TrendsRequest, context: Context) -> desk_pb2.TrendsResponse:  # noqa: N802
        async with self._call(context):
            return wire.trends_to_wire(await self._front.trends(request.run))

    @asynccontextmanager
    async def _call(
        self, context: Context, roles: Collection[Role] = frozenset({Role.RESEARCHER})
    ) -> AsyncIterator[None]:
        """Admits the caller, and turns faults into statuses."""
        try:
            member = caller(context, self._study().roster.document, roles, self._clock())
            if isinstance(member, Refused):
                raise NotPermitted(member)
            yield
        except NotPermitted as error:
            note("call_refused", loud=True, reason=error.reason.value)
            await context.abort(STATUS[NotPermitted], str(error), ((REASON_KEY, error.reason.value),))
        except CoordinatorError as error:
            fault("call_failed", error)
            await context.abort(STATUS[type(error)], str(error))
        except (grpc.aio.AbortError, GeneratorExit):
            raise
        except Exception as error:
            fault("call_failed", error)
            await context.abort(grpc.StatusCode.INTERNAL, "The desk could not do this. Its log says where.")
