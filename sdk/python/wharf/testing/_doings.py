"""The calls of service `Host` by which a plugin does something to the host, over what a fake host holds: each is noted in
`FakeHost.asked`. A job that is started has succeeded; claims are always granted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2
from google.protobuf.message import Message

from wharf._limits import MAX_BATCH
from wharf.host import encoded
from wharf.v1 import event_pb2, host_pb2, model_pb2

if TYPE_CHECKING:
    from wharf.testing._host import FakeHost

_Empty = empty_pb2.Empty
Authorise = Callable[[grpc.ServicerContext], None]


class Doings:
    """Jobs, claims, contributions, events, and units that are saved."""

    def __init__(self, host: FakeHost, authorise: Authorise) -> None:
        self._host = host
        self._authorise = authorise

    def handlers(self) -> dict[str, Any]:
        """By the names of the contract."""
        return {
            "SaveUnits": grpc.stream_stream_rpc_method_handler(
                self.save, event_pb2.Units.FromString, encoded
            ),
            "SpawnJob": self._noted("SpawnJob", host_pb2.SpawnJobRequest, _spawned),
            "WaitJob": grpc.unary_unary_rpc_method_handler(
                self.wait, host_pb2.WaitJobRequest.FromString, encoded
            ),
            "Acquire": self._noted("Acquire", host_pb2.AcquireRequest, _granted),
            "Release": self._noted("Release", host_pb2.ReleaseRequest),
            "Contribute": self._noted("Contribute", host_pb2.ContributeRequest),
            "Emit": self._noted("Emit", host_pb2.EmitRequest),
            "WatchItems": grpc.unary_stream_rpc_method_handler(
                self.watch, _Empty.FromString, encoded
            ),
        }

    def _noted(
        self, name: str, message: Any, answer: Callable[[int], Message] = lambda _: _Empty()
    ) -> grpc.RpcMethodHandler[Any, Any]:
        def behaviour(request: Message, rpc: grpc.ServicerContext) -> Message:
            self._authorise(rpc)
            with self._host._lock:
                self._host.asked.append((name, request))
                return answer(len(self._host.asked))

        return grpc.unary_unary_rpc_method_handler(behaviour, message.FromString, encoded)

    def save(
        self, messages: Iterator[event_pb2.Units], rpc: grpc.ServicerContext
    ) -> Iterator[host_pb2.SavedUnits]:
        self._authorise(rpc)
        for message in messages:
            with self._host._lock:
                yield host_pb2.SavedUnits(units=[self._saved(unit) for unit in message.units])

    def _saved(self, unit: model_pb2.Unit) -> host_pb2.SavedUnit:
        for known in self._host._units:
            if (known.type, known.key) == (unit.type, unit.key):
                return host_pb2.SavedUnit(id=known.id)
        unit.id = len(self._host._units) + 1
        self._host._units.append(unit)
        return host_pb2.SavedUnit(id=unit.id, created=True)

    def wait(
        self, request: host_pb2.WaitJobRequest, rpc: grpc.ServicerContext
    ) -> host_pb2.WaitJobResponse:
        self._authorise(rpc)
        spawned = [name for name, _ in self._host.asked[request.job - 1 : request.job]]
        if spawned != ["SpawnJob"]:
            rpc.abort(grpc.StatusCode.NOT_FOUND, f"no job {request.job}")
        return host_pb2.WaitJobResponse(state="succeeded", result=event_pb2.Result(outputs="{}"))

    def watch(self, _: Message, rpc: grpc.ServicerContext) -> Iterator[event_pb2.Items]:
        self._authorise(rpc)
        items = [
            event_pb2.Item(key=unit.key, outcome=event_pb2.OUTCOME_ADDED)
            for unit in self._host._units
        ]
        for start in range(0, len(items), MAX_BATCH):
            yield event_pb2.Items(items=items[start : start + MAX_BATCH])


def _spawned(number: int) -> Message:
    return host_pb2.SpawnJobResponse(job=number)


def _granted(number: int) -> Message:
    return host_pb2.AcquireResponse(grant=number)
