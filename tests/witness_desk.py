"""The coordinator's real WitnessService for a desk in a test's hands, which is no asyncio server."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
from rondgang.v1 import witness_pb2

from coordinator.home import CoordinatorConfig, Home
from coordinator.process import store_address
from coordinator.store.store import open_store
from coordinator.study import read_study
from coordinator.witness.service import WitnessService

T = TypeVar("T")


class _Context:
    """What the service asks of the context of a call, over one of a server with threads."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self.aborted: tuple[grpc.StatusCode, str, tuple[tuple[str, str], ...]] | None = None

    def auth_context(self) -> Any:
        return self._context.auth_context()

    async def abort(
        self, code: grpc.StatusCode, details: str, trailing_metadata: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.aborted = (code, details, trailing_metadata)
        raise grpc.aio.AbortError


@contextmanager
def witnessing(home: Home, clock: Callable[[], int] = lambda: int(time.time())) -> Iterator[grpc.GenericRpcHandler]:
    """The handlers of the service, with the key and the store of a coordinator's folder, while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="witness")
    thread.start()
    try:
        with open_store(store_address(home, home.config(CoordinatorConfig))) as store, ThreadPoolExecutor(1) as worker:

            async def stored(work: Callable[[], T]) -> T:
                return await loop.run_in_executor(worker, work)

            service = WitnessService(store, stored, home.signing_key(), lambda: read_study(home), clock)
            yield _handlers(service, loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _handlers(service: WitnessService, loop: asyncio.AbstractEventLoop) -> grpc.GenericRpcHandler:
    def answered(method: Callable[[Any, Any], Any]) -> Callable[[Any, grpc.ServicerContext], Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            through = _Context(context)
            try:
                return asyncio.run_coroutine_threadsafe(method(request, through), loop).result()
            except grpc.aio.AbortError:
                assert through.aborted is not None, "aborted by nobody"
                code, details, trailing = through.aborted
                context.set_trailing_metadata(trailing)
                context.abort(code, details)

        return call

    kinds: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
        "AddCheckpoint": (service.AddCheckpoint, witness_pb2.AddCheckpointRequest),
        "Exchange": (service.Exchange, witness_pb2.ExchangeRequest),
    }
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_unary_rpc_method_handler(
            answered(method), request_deserializer=kind.FromString, response_serializer=_bytes
        )
        for name, (method, kind) in kinds.items()
    }
    return grpc.method_handlers_generic_handler("rondgang.v1.WitnessService", methods)


def _bytes(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data
