"""A plugin and a fake host, joined by private sockets."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from wharf._limits import MAX_RECEIVED_BYTES
from wharf.context import Outcome
from wharf.errors import Error
from wharf.host import Dialer, encoded
from wharf.model import Unit
from wharf.model._json import to_object
from wharf.serve import Calls, Plugin, services
from wharf.testing._call import Call
from wharf.testing._contract import Contract, require
from wharf.testing._host import FakeHost
from wharf.testing._run import Events, Run, Running
from wharf.v1 import event_pb2, model_pb2, plugin_pb2

Answer = TypeVar("Answer", bound=Message)
PATIENCE = 30.0
"""Seconds that a call of a test may take."""
_TAKES = (("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),)


class Harness:
    """A plugin that runs inside the test. Leaving it ends the plugin's calls and removes its work folder."""

    def __init__(
        self, plugin: Plugin, host: FakeHost | None = None, *, patience: float = PATIENCE
    ) -> None:
        """Starts the plugin beside a fake host. Patience: seconds that a call may take."""
        self.registry = plugin.check()
        self._patience = patience
        self._folder = tempfile.TemporaryDirectory(prefix="harness-")
        self.work_dir = Path(self._folder.name) / "work"
        """The folder that calls stage their files in."""
        self.work_dir.mkdir()
        handlers = [(host or FakeHost()).handler(self.work_dir)]
        self._host = self._serve("host", handlers)
        self._dialer = Dialer(None)
        self._calls = Calls(self._dialer, plugin.grace_seconds)
        self._plugin = self._serve("plugin", services(self.registry, self._calls))
        self._channel = grpc.insecure_channel(self._address("plugin"), options=_TAKES)

    def _address(self, name: str) -> str:
        return f"unix://{self._folder.name}/{name}"

    def _serve(self, name: str, handlers: Sequence[grpc.GenericRpcHandler]) -> grpc.Server:
        server = grpc.server(ThreadPoolExecutor(32, name), handlers=[*handlers], options=_TAKES)
        server.add_insecure_port(self._address(name))
        server.start()
        return server

    def __enter__(self) -> Harness:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the plugin's calls, and removes what is there of them."""
        self.stop()
        self._channel.close()
        self._plugin.stop(0).wait(self._patience)
        self._dialer.close()
        self._host.stop(0).wait(self._patience)
        self._folder.cleanup()

    def stop(self) -> bool:
        """Asks the plugin to stop, as a host's Shutdown does: running calls are cancelled, new ones refused. Tells
        whether all methods ended within their grace time.
        """
        return self._calls.stop()

    def call(self, component: str) -> Call:
        """A call to a component, to be filled in and made."""
        return Call(self, component)

    def migrate(self, number: int) -> Run:
        """Makes `Plugin.Migrate`: the units that the migration changes. Its units are those of the fake host."""
        request = plugin_pb2.MigrateRequest(context=self.context(), number=number)
        events = self.stream("Plugin", "Migrate", request)
        run = Running(events, Contract(self.registry)).finish()
        named = all(unit.id > 0 for unit in run.units)
        require(named, "a migration changes units that are there, by their id")
        return run

    def hook(
        self,
        name: str,
        subject: Mapping[str, object] | None = None,
        *,
        outcome: Outcome | None = None,
        error: Error | None = None,
        component: str = "",
        settings: Mapping[str, object] | None = None,
        parameters: Mapping[str, object] | None = None,
        parent: Unit | None = None,
        unit: Unit | None = None,
    ) -> plugin_pb2.HookResponse:
        """Makes `Plugin.Hook` for `before:STEP` or `after:STEP`; subject: what the step is about. After a step, outcome
        and error say how it ended. Files of parent and unit are staged below `work_dir`.
        """
        request = plugin_pb2.HookRequest(
            context=self.context(),
            name=name,
            subject=to_object("the subject", subject or {}),
            outcome=outcome.value if outcome else event_pb2.OUTCOME_UNSPECIFIED,
            instance=model_pb2.Instance(
                component=component,
                name="default",
                settings=to_object("the settings", settings or {}),
            ),
            parameters=to_object("the parameters", parameters or {}),
            parent=parent.wire if parent else None,
            unit=unit.wire if unit else None,
        )
        if error is not None:
            request.error.CopyFrom(error.to_wire())
            request.outcome = event_pb2.OUTCOME_FAILED
        return self.ask("Plugin", "Hook", request, plugin_pb2.HookResponse)

    def describe(self) -> plugin_pb2.DescribeResponse:
        """What the plugin says of itself."""
        request = plugin_pb2.DescribeRequest()
        return self.ask("Plugin", "Describe", request, plugin_pb2.DescribeResponse)

    def context(self) -> model_pb2.JobContext:
        """What a call is told about its job."""
        return model_pb2.JobContext(
            host_address=self._address("host"),
            token="test-token",  # noqa: S106
            job=1,
            work_dir=str(self.work_dir),
            attempt=1,
        )

    def ask(self, service: str, method: str, request: Message, answer: type[Answer]) -> Answer:
        """A call with one answer. Raises `grpc.RpcError`. Nothing is held against the contract."""
        call = self._channel.unary_unary(
            f"/wharf.v1.{service}/{method}",
            request_serializer=encoded,
            response_deserializer=answer.FromString,
        )
        given: Answer = call(request, timeout=self._patience)
        return given

    def stream(self, service: str, method: str, request: Message) -> Events:
        """A call with a stream of encoded events. Nothing is held against the contract."""
        call = self._channel.unary_stream(
            f"/wharf.v1.{service}/{method}",
            request_serializer=encoded,
            response_deserializer=bytes,
        )
        return call(request, timeout=self._patience)
