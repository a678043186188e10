"""The contract's services, answered by the registered components.

Handlers are registered by name, without generated stubs: events leave as the bytes that the batches made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import Message

from wharf import role
from wharf.context import Context, HookContext
from wharf.errors import NotOffered, OperationError, UsageError
from wharf.host import encoded
from wharf.model import Attachment, Done, Instance
from wharf.role import (
    Action,
    Builder,
    Check,
    Checked,
    CheckScope,
    Component,
    Distributor,
    Hooks,
    Importer,
    Step,
)
from wharf.role.hooks import refused
from wharf.serve._calls import Calls
from wharf.serve._registry import Registry
from wharf.v1 import action_pb2, builder_pb2, distributor_pb2, importer_pb2, plugin_pb2

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Answered = Callable[[Any, grpc.ServicerContext], Message]
Streamed = Callable[[Any, grpc.ServicerContext], Iterator[bytes]]

# By service: the role that answers, and of each long call the message, what reads it, and the method.
_LONG: dict[str, tuple[type[Component], dict[str, tuple[type[Message], Any, str]]]] = {
    "Importer": (
        Importer,
        {
            "Sync": (importer_pb2.SyncRequest, role.SyncRequest, "sync"),
            "List": (importer_pb2.ListRequest, role.ListRequest, "list"),
            "Fetch": (importer_pb2.FetchRequest, role.FetchRequest, "fetch"),
            "Upload": (importer_pb2.UploadRequest, role.UploadRequest, "upload"),
            "Resolve": (importer_pb2.ResolveRequest, role.ResolveRequest, "resolve"),
        },
    ),
    "Distributor": (
        Distributor,
        {
            "Publish": (distributor_pb2.PublishRequest, role.PublishRequest, "publish"),
            "Unpublish": (distributor_pb2.UnpublishRequest, role.UnpublishRequest, "unpublish"),
            "Reissue": (distributor_pb2.ReissueRequest, role.ReissueRequest, "reissue"),
        },
    ),
    "Builder": (Builder, {"Build": (builder_pb2.BuildRequest, role.BuildRequest, "build")}),
    "Action": (Action, {"Run": (action_pb2.RunRequest, role.RunRequest, "run")}),
}


def services(registry: Registry, calls: Calls) -> list[grpc.GenericRpcHandler]:
    """The service of every plugin, and those of the roles that its components have."""
    made = [_service("Plugin", Plugin(registry, calls).handlers())]
    for name, (wanted, methods) in _LONG.items():
        if not any(isinstance(it, wanted) for it in registry.components.values()):
            continue
        handlers = {
            method: _streamed(message, _long(registry, calls, wanted, request, called))
            for method, (message, request, called) in methods.items()
        }
        if name == "Distributor":
            handlers["ClientConfig"] = _answered(
                distributor_pb2.ClientConfigRequest, _client_config(registry, calls)
            )
        made.append(_service(name, handlers))
    return made


def _service(name: str, handlers: dict[str, Handler]) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(f"wharf.v1.{name}", handlers)


def _answered(message: type[Message], behaviour: Answered) -> Handler:
    return grpc.unary_unary_rpc_method_handler(
        behaviour,
        request_deserializer=message.FromString,
        response_serializer=encoded,
    )


def _streamed(message: type[Message], behaviour: Streamed) -> Handler:
    return grpc.unary_stream_rpc_method_handler(behaviour, request_deserializer=message.FromString)


def _component(wire: Any) -> str:
    holder = wire.attachment if "attachment" in wire.DESCRIPTOR.fields_by_name else wire
    return str(holder.instance.component)


def _long(
    registry: Registry, calls: Calls, wanted: type[Component], request: Any, called: str
) -> Streamed:
    """A long call: finds who answers, and runs the method."""

    def behaviour(wire: Any, rpc: grpc.ServicerContext) -> Iterator[bytes]:
        component = registry.component(_component(wire), wanted, rpc)
        method = getattr(component, called)

        def run(context: Context) -> Done:
            done: Done = method(request.from_wire(wire), context)
            return done

        yield from calls.start(wire.context, run, rpc)

    return behaviour


def _client_config(registry: Registry, calls: Calls) -> Answered:
    def behaviour(
        wire: distributor_pb2.ClientConfigRequest, rpc: grpc.ServicerContext
    ) -> distributor_pb2.ClientConfigResponse:
        distributor = registry.component(_component(wire), Distributor, rpc)
        request = role.ClientConfigRequest.from_wire(wire)
        return calls.answer(lambda: distributor.client_config(request).wire, rpc)

    return behaviour


class Plugin:
    """Service `Plugin`."""

    def __init__(self, registry: Registry, calls: Calls) -> None:
        self._registry = registry
        self._calls = calls

    def handlers(self) -> dict[str, Handler]:
        """By the names of the contract."""
        return {
            "Describe": _answered(plugin_pb2.DescribeRequest, self._describe),
            "Ready": _answered(plugin_pb2.ReadyRequest, self._ready),
            "Check": _answered(plugin_pb2.CheckRequest, self._check),
            "Choices": _answered(plugin_pb2.ChoicesRequest, self._choices),
            "Attached": _answered(plugin_pb2.AttachedRequest, self._attached),
            "Detached": _answered(plugin_pb2.DetachedRequest, self._detached),
            "Hook": _answered(plugin_pb2.HookRequest, self._hook),
            "Plan": _answered(plugin_pb2.PlanRequest, self._plan),
            "Migrations": _answered(plugin_pb2.MigrationsRequest, self._migrations),
            "Migrate": _streamed(plugin_pb2.MigrateRequest, self._migrate),
        }

    def _describe(
        self, _: plugin_pb2.DescribeRequest, __: grpc.ServicerContext
    ) -> plugin_pb2.DescribeResponse:
        return self._registry.manifest.describe(self._registry.types)

    def _ready(
        self, wire: plugin_pb2.ReadyRequest, rpc: grpc.ServicerContext
    ) -> plugin_pb2.ReadyResponse:
        instance = Instance.from_wire(wire.instance)
        component = self._registry.component(instance.component, Component, rpc)
        checked = self._calls.answer(lambda: _by_field(lambda: component.ready(instance)), rpc)
        return plugin_pb2.ReadyResponse(reasons=checked.wire.errors)

    def _check(
        self, wire: plugin_pb2.CheckRequest, rpc: grpc.ServicerContext
    ) -> plugin_pb2.CheckResponse:
        component = self._registry.component(wire.component, Component, rpc)
        with self._calls.asking(wire.context, rpc) as (way, _):
            check = Check.from_wire(wire, way)
            return self._calls.answer(lambda: _by_field(lambda: component.check(check)), rpc).wire

    def _choices(
        self, wire: plugin_pb2.ChoicesRequest, rpc: grpc.ServicerContext
    ) -> plugin_pb2.ChoicesResponse:
        component = self._registry.component(wire.component, Component, rpc)
        filled = Check(CheckScope.UNSPECIFIED, wire.values)
        choices = self._calls.answer(lambda: component.choices(wire.field, filled), rpc)
        return plugin_pb2.ChoicesResponse(choices=[choice.wire for choice in choices])

    def _attached(
        self, wire: plugin_pb2.AttachedRequest, rpc: grpc.ServicerContext
    ) -> plugin_pb2.AttachedResponse:
        component = self._registry.component(_component(wire), Component, rpc)
        attachment = Attachment.from_wire(wire.attachment)
        self._calls.answer(lambda: component.attached(attachment), rpc)
        return plugin_pb2.AttachedResponse()

    def _detached(
        self, wire: plugin_pb2.DetachedRequest, rpc: grpc.ServicerContext
    ) -> plugin_pb2.DetachedResponse:
        component = self._registry.component(_component(wire), Component, rpc)
        attachment = Attachment.from_wire(wire.attachment)
        self._calls.answer(lambda: component.detached(attachment), rpc)
        return plugin_pb2.DetachedResponse()

    def _plan(
        self, wire: plugin_pb2.PlanRequest, rpc: grpc.ServicerContext
    ) -> plugin_pb2.PlanResponse:
        component = self._registry.component(_component(wire), Component, rpc)
        plan = role.Plan.from_wire(wire)
        jobs = self._calls.answer(lambda: component.plan(plan), rpc)
        return plugin_pb2.PlanResponse(jobs=[job.wire for job in jobs])

    def _hook(
        self, wire: plugin_pb2.HookRequest, rpc: grpc.ServicerContext
    ) -> plugin_pb2.HookResponse:
        if (hooks := self._registry.hooks) is None:
            rpc.abort(grpc.StatusCode.UNIMPLEMENTED, "this plugin subscribes to no hooks")
        with self._calls.asking(wire.context, rpc) as (way, cancellation):
            context = HookContext(wire.context, way, cancellation)
            return self._calls.answer(lambda: _hooked(hooks, wire, context), rpc)

    def _migrations(
        self, _: plugin_pb2.MigrationsRequest, __: grpc.ServicerContext
    ) -> plugin_pb2.MigrationsResponse:
        return self._registry.manifest.migrations

    def _migrate(
        self, wire: plugin_pb2.MigrateRequest, rpc: grpc.ServicerContext
    ) -> Iterator[bytes]:
        migration, migrations = self._registry.migration(wire.number, wire.dry_run, rpc)
        yield from self._calls.start(
            wire.context, lambda context: migrations.migrate(migration, context), rpc
        )


def _hooked(
    hooks: Hooks, wire: plugin_pb2.HookRequest, context: HookContext
) -> plugin_pb2.HookResponse:
    """What the contract expects to go wrong is the answer of a hook, not a failed call."""
    before = wire.name.startswith("before:")
    step = Step.from_wire(wire)
    try:
        return (hooks.before(step, context) if before else hooks.after(step, context)).wire
    except NotOffered:
        raise
    except (UsageError, OperationError) as error:
        return refused(error, before=before)


def _by_field(asked: Callable[[], Checked]) -> Checked:
    """What the user can fix is an answer about a field, not a failed call."""
    try:
        return asked()
    except NotOffered:
        raise
    except UsageError as error:
        return Checked.good().error(error.field, error.code, error.whole_message())
