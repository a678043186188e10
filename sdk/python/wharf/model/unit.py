"""Units: typed records with a natural key, attributes and files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wharf.model._json import from_object, to_object
from wharf.model.file import File
from wharf.model.reference import UnitRef
from wharf.v1 import model_pb2


class Unit:
    """A typed record with a natural key, attributes and files.

    >>> unit = Unit("book", {"name": "Emma"}, files=[File("emma.txt", size=12, url="https://books.example/emma.txt")])
    >>> unit.key_text
    '{"name":"Emma"}'
    """

    __slots__ = ("wire",)

    def __init__(
        self,
        kind: str,
        key: Mapping[str, object] | str = "",
        attributes: Mapping[str, object] | str = "",
        *,
        files: Iterable[File] = (),
        links: Iterable[tuple[str, UnitRef]] = (),
    ) -> None:
        """A unit of a type that the plugin's manifest declares.

        Key: the type's key fields; those that the type takes from the artifact may be left out. Attributes: all other
        fields. Both may be the text of a JSON object that is ready already. A link says what it means, for example
        `base`, and names another unit.
        """
        self.wire = model_pb2.Unit(
            type=kind,
            key=to_object("a unit's key", key),
            attributes=to_object("a unit's attributes", attributes),
            files=[file.wire for file in files],
        )
        for meaning, to in links:
            self.wire.links.add(kind=meaning, to=to.wire)

    @classmethod
    def existing(
        cls,
        kind: str,
        id: int,  # noqa: A002 - the contract's word
        key: Mapping[str, object] | str = "",
        attributes: Mapping[str, object] | str = "",
        *,
        files: Iterable[File] = (),
    ) -> Unit:
        """A unit that is there, by the host's number, for migrations: what is not set stays as it is."""
        unit = cls(kind, key, attributes, files=files)
        unit.wire.id = id
        return unit

    @classmethod
    def from_wire(cls, wire: model_pb2.Unit) -> Unit:
        """Covers a message."""
        unit = cls.__new__(cls)
        unit.wire = wire
        return unit

    @property
    def id(self) -> int:
        """The host's number of the unit; 0 when the plugin made it."""
        return self.wire.id

    @property
    def kind(self) -> str:
        """The type's id."""
        return self.wire.type

    @property
    def key_text(self) -> str:
        """The key's JSON text."""
        return self.wire.key

    @property
    def attributes_text(self) -> str:
        """The attributes' JSON text, or an empty one."""
        return self.wire.attributes

    def read_key(self) -> dict[str, Any]:
        """The key, read anew at each call."""
        return from_object("the unit's key", self.wire.key)

    def read_attributes(self) -> dict[str, Any]:
        """The attributes, read anew at each call."""
        return from_object("the unit's attributes", self.wire.attributes)

    @property
    def files(self) -> list[File]:
        """The files, in the unit's order."""
        return [File.from_wire(file) for file in self.wire.files]

    def __repr__(self) -> str:
        return f"Unit({self.kind!r}, {self.key_text!r})"
