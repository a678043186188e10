"""Entries of a publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from wharf.v1 import event_pb2

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Traits(TypedDict, total=False):
    """What clients are told of a published file."""

    media_type: str
    modified_ms: int
    """When it was last changed, in milliseconds since 1970; without it, the time of going live."""
    entry_point: bool
    """Clients read it first; the host asks for a fresh one on rollback."""
    headers: Mapping[str, str]
    """Response headers: cache-control, content-disposition, content-language."""


class PublishedFile:
    """One file of a publication, made by one of the class's methods, each for another place of the bytes."""

    __slots__ = ("wire",)

    def __init__(self, wire: event_pb2.PublishedFile) -> None:
        self.wire = wire

    @classmethod
    def of_unit(cls, path: str, unit: int, file: str, **traits: Unpack[Traits]) -> PublishedFile:
        """A file of a unit of the published version, under the path that it has in its unit."""
        origin = event_pb2.UnitFile(unit=unit, path=file)
        return cls(event_pb2.PublishedFile(path=path, unit=origin, **traits))

    @classmethod
    def of_digest(cls, path: str, digest: str, **traits: Unpack[Traits]) -> PublishedFile:
        """Bytes in the store that belong to the published version, by `sha256:HEX`."""
        return cls(event_pb2.PublishedFile(path=path, digest=digest, **traits))

    @classmethod
    def staged(cls, path: str, staged: str, **traits: Unpack[Traits]) -> PublishedFile:
        """A file below `Context.work_dir`, named relative to it. The host takes it over."""
        return cls(event_pb2.PublishedFile(path=path, staged=staged, **traits))

    @classmethod
    def inline(cls, path: str, data: bytes, **traits: Unpack[Traits]) -> PublishedFile:
        """The bytes themselves, at most 64 KiB."""
        return cls(event_pb2.PublishedFile(path=path, inline=data, **traits))
