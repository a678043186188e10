"""What came of a call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import grpc

from wharf.model import Unit
from wharf.testing._contract import Contract
from wharf.v1 import event_pb2, model_pb2


class Events(Protocol):
    """A call that is answered by encoded events."""

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def cancel(self) -> bool: ...


@dataclass
class Run:
    """Everything that a call told, sorted by kind, each kind in order."""

    units: list[Unit] = field(default_factory=list)
    kept: list[event_pb2.Keep] = field(default_factory=list)
    removed: list[model_pb2.UnitRef] = field(default_factory=list)
    resolved: list[model_pb2.UnitRef] = field(default_factory=list)
    listed: list[event_pb2.ListedItem] = field(default_factory=list)
    contents: list[event_pb2.Content] = field(default_factory=list)
    """Answers of `fetch`."""
    files: list[event_pb2.PublishedFile] = field(default_factory=list)
    aliases: list[event_pb2.Alias] = field(default_factory=list)
    variants: list[event_pb2.Variant] = field(default_factory=list)
    items: list[event_pb2.Item] = field(default_factory=list)
    """Outcomes."""
    warnings: list[event_pb2.Warning] = field(default_factory=list)
    logs: list[event_pb2.Log] = field(default_factory=list)
    progress: list[event_pb2.Progress] = field(default_factory=list)
    """As far as it was not thinned out."""
    others: list[event_pb2.Event] = field(default_factory=list)
    result: event_pb2.Result | None = None
    """The good end."""
    error: model_pb2.Error | None = None
    """The bad end."""
    status: grpc.StatusCode | None = None
    """The status of a call that ended without either."""
    details: str = ""
    """What the status said."""

    def add(self, event: event_pb2.Event) -> None:
        """Sorts an event in."""
        self.units += map(Unit.from_wire, event.units.units)
        self.removed += event.remove.units
        self.resolved += event.resolved.units
        self.listed += event.listed.items
        self.files += event.files.files
        self.aliases += event.aliases.aliases
        self.variants += event.variants.variants
        self.items += event.items.items
        kind = event.WhichOneof("event") or ""
        alone: dict[str, list[Any]] = {
            "keep": self.kept,
            "content": self.contents,
            "warning": self.warnings,
            "log": self.logs,
            "progress": self.progress,
        }
        if kind in alone:
            alone[kind].append(getattr(event, kind))
        elif kind == "result":
            self.result = event.result
        elif kind == "error":
            self.error = event.error
        elif kind not in _SORTED:
            self.others.append(event)

    def keys(self) -> list[dict[str, Any]]:
        """The keys of the declared units."""
        return [unit.read_key() for unit in self.units]

    def data(self) -> bytes:
        """The bytes that `fetch` sent in chunks."""
        return b"".join(content.chunk for content in self.contents)

    def done(self) -> event_pb2.Result:
        """The good end; fails with what the call ended with otherwise."""
        if self.result is None:
            raise AssertionError(f"the call ended with {self.error or self.status} {self.details}")
        return self.result

    def failure(self) -> model_pb2.Error:
        """The error; fails when the call ended otherwise."""
        if self.error is None:
            raise AssertionError(f"the call ended with {self.result or self.status} {self.details}")
        return self.error

    def state(self) -> bytes:
        """The state to keep, for the next run."""
        return self.done().state


_SORTED = {
    "units",
    "remove",
    "resolved",
    "listed",
    "files",
    "aliases",
    "variants",
    "items",
}


class Running:
    """A call whose events are taken one by one."""

    def __init__(self, events: Events, contract: Contract) -> None:
        self._events = events
        self._contract = contract

    def __iter__(self) -> Iterator[event_pb2.Event]:
        return self

    def __next__(self) -> event_pb2.Event:
        """The next event. Raises `grpc.RpcError` when the call ends with a status, and `ContractError`."""
        return self._contract.check(next(self._events))

    def cancel(self) -> None:
        """Drops the call, as a host does."""
        self._events.cancel()

    def finish(self) -> Run:
        """Takes the rest."""
        run = Run()
        try:
            for event in self:
                run.add(event)
        except grpc.RpcError as error:
            if isinstance(error, grpc.Call):
                run.status, run.details = error.code(), error.details() or ""
            return run
        self._contract.check_end()
        return run
