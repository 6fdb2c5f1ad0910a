"""The desk's calls over a gRPC channel: values in, values out, faults back as this room's exceptions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from rondgang.v1 import desk_pb2

from coordinator.desk import wire
from coordinator.desk.views import Prices, Progress, RegionView, Results, StudyDocuments, Submitted
from coordinator.errors import CallFailed, NotFound, NotPermitted, Unreachable
from policies.rules.refusals import Reason, Refused

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_SERVICE = desk_pb2.DESCRIPTOR.services_by_name["DeskService"].full_name
_REASON_KEY = "rondgang-reason"
_LATER = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    }
)


class RemoteDesk:
    """One desk behind a channel. `timeout_s` bounds every call except watching."""

    def __init__(self, channel: grpc.Channel, address: str, timeout_s: float) -> None:
        self._channel = channel
        self._address = address
        self._timeout_s = timeout_s

    def study(self, label: str) -> StudyDocuments:
        request = desk_pb2.StudyRequest(codebook=label)
        return wire.study_from_wire(self._call("Study", request, desk_pb2.StudyResponse.FromString))

    def regions(self) -> tuple[RegionView, ...]:
        found = self._call("Regions", desk_pb2.RegionsRequest(), desk_pb2.RegionsResponse.FromString)
        return tuple(map(wire.region_from_wire, found.regions))

    def price(self, signed_programme: bytes) -> Prices | Refused:
        request = desk_pb2.PriceRequest(signed_programme=signed_programme)
        return wire.prices_from_wire(self._call("Price", request, desk_pb2.PriceResponse.FromString))

    def submit(self, signed_programme: bytes, *, again: bool) -> Submitted | Refused:
        request = desk_pb2.SubmitRequest(signed_programme=signed_programme, again=again)
        return wire.submitted_from_wire(self._call("Submit", request, desk_pb2.SubmitResponse.FromString))

    def results(self, run: str) -> Results | Refused:
        request = desk_pb2.ResultsRequest(run=run)
        return wire.results_from_wire(self._call("Results", request, desk_pb2.ResultsResponse.FromString))

    def trends(self, run: str) -> bytes | Refused:
        request = desk_pb2.TrendsRequest(run=run)
        return wire.trends_from_wire(self._call("Trends", request, desk_pb2.TrendsResponse.FromString))

    def watch(self, run: str, timeout_s: float | None) -> Iterator[Progress]:
        """Progress at every change until the run is complete or closed."""
        with self._faults():
            stream = self._channel.unary_stream(
                f"/{_SERVICE}/Watch",
                request_serializer=_to_bytes,
                response_deserializer=desk_pb2.WatchResponse.FromString,
            )(desk_pb2.WatchRequest(run=run), timeout=timeout_s)
            try:
                for message in stream:
                    yield wire.progress_from_wire(message)
            finally:
                stream.cancel()

    def _call(self, name: str, request: Q, read: Callable[[bytes], A]) -> A:
        with self._faults():
            call = self._channel.unary_unary(
                f"/{_SERVICE}/{name}", request_serializer=_to_bytes, response_deserializer=read
            )
            return call(request, timeout=self._timeout_s)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            code, told = error.code(), error.details() or ""
            if code in _LATER:
                raise Unreachable(self._address, told.partition(";")[0] or code.name) from None
            if code is grpc.StatusCode.PERMISSION_DENIED:
                given = {item.key: str(item.value) for item in error.trailing_metadata() or ()}.get(_REASON_KEY)
                reason = next((one for one in Reason if one.value == given), Reason.WRONG_ROLE)
                raise NotPermitted(Refused(reason, told)) from None
            if code is grpc.StatusCode.NOT_FOUND:
                raise NotFound(told) from None
            raise CallFailed(told or f"The desk at {self._address} gave the status {code.name}.") from None


def _to_bytes(message: Message) -> bytes:
    return message.SerializeToString()
