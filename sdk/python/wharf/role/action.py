"""Doing something on request."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wharf.errors import NotOffered
from wharf.model import Done, Instance, Unit
from wharf.model._json import from_object
from wharf.role._enum import WireEnum
from wharf.role.component import Component
from wharf.v1 import action_pb2

if TYPE_CHECKING:
    from wharf.context import Context


class TestMode(WireEnum):
    """Whether a run is a test."""

    __test__ = False  # not a test itself, whatever a test runner thinks of the name

    UNSPECIFIED = action_pb2.TEST_MODE_UNSPECIFIED
    OFF = action_pb2.TEST_MODE_OFF
    """For real."""
    DRY = action_pb2.TEST_MODE_DRY
    """Say what would be done."""
    LIVE = action_pb2.TEST_MODE_LIVE
    """Do it, marked as a test."""


@dataclass
class RunRequest:
    """What `run` works with."""

    instance: Instance
    arguments_text: str
    """JSON object, as text; checked."""
    units: list[Unit]
    """The units it was asked for."""
    user: str
    """Who asks."""
    test: TestMode
    idempotency_key: str
    """The same key means the same wish: doing it once is enough."""

    @classmethod
    def from_wire(cls, wire: action_pb2.RunRequest) -> RunRequest:
        """Reads a message."""
        return cls(
            instance=Instance.from_wire(wire.instance),
            arguments_text=wire.arguments,
            units=[Unit.from_wire(unit) for unit in wire.units],
            user=wire.user,
            test=TestMode(wire.test),
            idempotency_key=wire.idempotency_key,
        )

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """The arguments."""
        return from_object("the arguments", self.arguments_text)


class Action(Component):
    """Does something on request."""

    def run(self, request: RunRequest, context: Context) -> Done:
        """Does it: `Context.output`, `link`, `job`."""
        raise NotOffered("run")
