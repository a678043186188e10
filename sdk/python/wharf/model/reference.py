"""Naming units without sending them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wharf.model._json import to_json, to_object
from wharf.v1 import event_pb2, model_pb2


class UnitRef:
    """Names a unit: by the host's number (`UnitRef.id(7)`), or by type and key (`UnitRef.key("book", {...})`)."""

    __slots__ = ("wire",)

    def __init__(self, wire: model_pb2.UnitRef) -> None:
        self.wire = wire

    @classmethod
    def id(cls, number: int) -> UnitRef:
        """By the host's number."""
        return cls(model_pb2.UnitRef(id=number))

    @classmethod
    def key(cls, kind: str, key: Mapping[str, object] | str) -> UnitRef:
        """By type and key."""
        return cls(model_pb2.UnitRef(type=kind, key=to_object("a unit's key", key)))

    @property
    def number(self) -> int | None:
        """The host's number; `None` when it is named by its key."""
        return self.wire.id or None


class Keep:
    """Units of the base version that the new version contains too, without sending them again."""

    __slots__ = ("wire",)

    def __init__(self, wire: event_pb2.Keep) -> None:
        self.wire = wire

    @classmethod
    def all(cls, kind: str = "") -> Keep:
        """All units of a type; with an empty type, of every type."""
        return cls(event_pb2.Keep(type=kind))

    @classmethod
    def keys(cls, kind: str, keys: Iterable[Mapping[str, object]]) -> Keep:
        """The units of a type that have these keys, at most 1,000."""
        written = [to_object("a unit's key", key) for key in keys]
        return cls(event_pb2.Keep(type=kind, keys=written))

    @classmethod
    def field(cls, kind: str, name: str, value: object) -> Keep:
        """The units of a type whose field has this value."""
        field = event_pb2.FieldEquals(name=name, value=to_json("the field's value", value))
        return cls(event_pb2.Keep(type=kind, field=field))
