"""What every component answers, whatever its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wharf.errors import Fault, NotOffered
from wharf.model import Attachment, Instance, Job, UnitRef
from wharf.model._json import from_object, to_json, to_object
from wharf.role._enum import WireEnum
from wharf.v1 import host_pb2, plugin_pb2

if TYPE_CHECKING:
    from wharf.host import Way


class CheckScope(WireEnum):
    """What values are for."""

    UNSPECIFIED = plugin_pb2.CHECK_SCOPE_UNSPECIFIED
    INSTANCE = plugin_pb2.CHECK_SCOPE_INSTANCE
    ATTACHMENT = plugin_pb2.CHECK_SCOPE_ATTACHMENT
    ARGUMENTS = plugin_pb2.CHECK_SCOPE_ARGUMENTS


@dataclass
class Check:
    """Values to check."""

    scope: CheckScope
    values_text: str
    """JSON object, as text."""
    repository: str = ""
    """The repository, for an attachment."""
    previous_text: str = ""
    """JSON object, as text: the values that are stored now, or empty."""
    way: Way | None = field(default=None, repr=False)
    """The way to the host, if there is one."""

    @classmethod
    def from_wire(cls, wire: plugin_pb2.CheckRequest, way: Way) -> Check:
        """Reads a message."""
        return cls(CheckScope(wire.scope), wire.values, wire.repository, wire.previous, way)

    def secret(self, name: str) -> bytes:
        """A secret that the values name: the value of a setting that the manifest marks with `"format": "secret"`. The
        host refuses a name that the values do not hold.
        """
        if self.way is None:
            raise Fault("protocol.host", "this call was given no way to the host")
        request = host_pb2.GetSecretRequest(name=name)
        return self.way.ask("GetSecret", request, host_pb2.GetSecretResponse).value

    @cached_property
    def values(self) -> dict[str, Any]:
        """The values."""
        return from_object("the values", self.values_text)


class Checked:
    """The answer to a check: what is wrong by field, what deserves a warning, and the values as they are to be kept."""

    __slots__ = ("wire",)

    def __init__(self) -> None:
        self.wire = plugin_pb2.CheckResponse()

    @classmethod
    def good(cls) -> Checked:
        """Nothing is wrong."""
        return cls()

    def error(self, field: str, code: str, message: str) -> Checked:
        """Something is wrong with a field. Field: JSON pointer, such as `/url`."""
        self.wire.errors.add(field=field, code=code, message=message)
        return self

    def warning(self, field: str, code: str, message: str) -> Checked:
        """Something about a field deserves a look."""
        self.wire.warnings.add(field=field, code=code, message=message)
        return self

    def normalised(self, values: Mapping[str, object]) -> Checked:
        """The values as they are to be stored; without it, as they came."""
        self.wire.normalised = to_object("the values", values)
        return self

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wire.errors


class Choice:
    """One choice of a form's field: a JSON value, and what people read."""

    __slots__ = ("wire",)

    def __init__(self, value: object, label: str) -> None:
        self.wire = plugin_pb2.Choice(value=to_json("the choice", value), label=label)


@dataclass
class Plan:
    """A request to split into jobs."""

    instance: Instance
    operation: str
    """The operation asked for."""
    arguments_text: str
    """JSON object, as text."""
    units: list[UnitRef]
    """The units it was asked for."""
    user: str
    """Who asks."""

    @classmethod
    def from_wire(cls, wire: plugin_pb2.PlanRequest) -> Plan:
        """Reads a message."""
        units = [UnitRef(unit) for unit in wire.units]
        instance = Instance.from_wire(wire.instance)
        return cls(instance, wire.operation, wire.arguments, units, wire.user)

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """The arguments."""
        return from_object("the arguments", self.arguments_text)


class Component:
    """What every component answers besides the calls of its role. All methods have a default."""

    def check(self, check: Check) -> Checked:
        """Checks and normalises settings or arguments before they are stored or used. The host has held them against
        the manifest's schema already. A `UsageError` counts as an error about its field.
        """
        return Checked.good()

    def ready(self, instance: Instance) -> Checked:
        """Whether an instance could work now. Errors of the answer are the reasons why not."""
        return Checked.good()

    def choices(self, field: str, filled: Check) -> Sequence[Choice]:
        """The choices of a form's field, given what is filled in so far."""
        raise NotOffered("choices")

    def attached(self, attachment: Attachment) -> None:
        """An instance was bound to a repository."""

    def detached(self, attachment: Attachment) -> None:
        """An instance is about to be unbound from a repository."""

    def plan(self, plan: Plan) -> Sequence[Job]:
        """Splits a request into jobs; none means one job, as asked."""
        return []
