"""Bringing content in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wharf.errors import NotOffered
from wharf.model import Attachment, Done, File, Unit, UnitRef
from wharf.model._json import from_object
from wharf.role._enum import WireEnum
from wharf.role.component import Component
from wharf.v1 import importer_pb2

if TYPE_CHECKING:
    from wharf.context import Context


class Mode(WireEnum):
    """What a sync's version contains."""

    UNSPECIFIED = importer_pb2.MODE_UNSPECIFIED
    MIRROR = importer_pb2.MODE_MIRROR
    """Exactly what the plugin declares and keeps."""
    ADDITIVE = importer_pb2.MODE_ADDITIVE
    """The base version plus what the plugin declares, less what it removes."""


class Policy(WireEnum):
    """When the host fetches bytes."""

    UNSPECIFIED = importer_pb2.POLICY_UNSPECIFIED
    IMMEDIATE = importer_pb2.POLICY_IMMEDIATE
    """In the job."""
    ON_DEMAND = importer_pb2.POLICY_ON_DEMAND
    """When a client first asks; they are kept."""
    STREAMED = importer_pb2.POLICY_STREAMED
    """Whenever a client asks; they are not kept."""


@dataclass
class LastSync:
    """The last sync of the same attachment that finished."""

    finished_ms: int
    """Milliseconds since 1970."""
    version: int
    """The version that it made or confirmed."""
    outcome: str
    """`succeeded` or `partial`."""


@dataclass
class SyncRequest:
    """What `sync` works with."""

    attachment: Attachment
    base_version: int
    """The version that the new one is compared with; 0 is the empty one."""
    base_units: int
    """How many units the base version has."""
    mode: Mode
    policy: Policy
    dry_run: bool
    """Nothing will be stored. Declare as always."""
    full: bool
    """Upstream's own shortcuts ("unchanged since") must not be used."""
    full_reasons: list[str]
    """Why: `asked`, `first`, `settings`, `content`, `policy`, `incomplete`, `integrity`."""
    last: LastSync | None
    """`None`: never."""
    only: list[str]
    """Only these items; empty means all."""
    checkpoint: bytes
    """What an earlier attempt of this job left by `Context.checkpoint`."""

    @classmethod
    def from_wire(cls, wire: importer_pb2.SyncRequest) -> SyncRequest:
        """Reads a message."""
        last = None
        if wire.HasField("last"):
            last = LastSync(wire.last.finished_ms, wire.last.version, wire.last.outcome)
        return cls(
            attachment=Attachment.from_wire(wire.attachment),
            base_version=wire.base_version,
            base_units=wire.base_units,
            mode=Mode(wire.mode),
            policy=Policy(wire.policy),
            dry_run=wire.dry_run,
            full=wire.full,
            full_reasons=[*wire.full_reasons],
            last=last,
            only=[*wire.only],
            checkpoint=wire.checkpoint,
        )


@dataclass
class ListRequest:
    """What `list` works with."""

    attachment: Attachment
    cursor: str
    """Where an earlier listing left off; empty: from the start."""
    only: list[str]
    """Only these items; empty means all."""

    @classmethod
    def from_wire(cls, wire: importer_pb2.ListRequest) -> ListRequest:
        """Reads a message."""
        return cls(Attachment.from_wire(wire.attachment), wire.cursor, [*wire.only])


@dataclass
class FetchRequest:
    """What `fetch` works with."""

    attachment: Attachment
    unit: Unit
    """The item as it was listed, with its one file."""
    revision: str
    """The revision that it was listed with."""
    offset: int
    """The first byte wanted."""

    @classmethod
    def from_wire(cls, wire: importer_pb2.FetchRequest) -> FetchRequest:
        """Reads a message."""
        attachment = Attachment.from_wire(wire.attachment)
        return cls(attachment, Unit.from_wire(wire.unit), wire.revision, wire.offset)


@dataclass
class UploadRequest:
    """What `upload` works with."""

    attachment: Attachment
    kind: str
    """The type's id; empty: the plugin finds out."""
    key_text: str
    """JSON object, as text; may be empty."""
    attributes_text: str
    """JSON object, as text; may be empty."""
    files: list[File]
    """Staged below `Context.work_dir`, with size and digests."""

    @classmethod
    def from_wire(cls, wire: importer_pb2.UploadRequest) -> UploadRequest:
        """Reads a message."""
        return cls(
            attachment=Attachment.from_wire(wire.attachment),
            kind=wire.type,
            key_text=wire.key,
            attributes_text=wire.attributes,
            files=[File.from_wire(file) for file in wire.files],
        )

    @cached_property
    def key(self) -> dict[str, Any]:
        """What the user said of the key; nothing said is an empty object."""
        return from_object("the key", self.key_text)

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """What else the user said. What a form said that was sent from outside is below `form`: each field's text, or
        a list of texts.
        """
        return from_object("the attributes", self.attributes_text)


@dataclass
class ResolveRequest:
    """What `resolve` works with."""

    attachment: Attachment
    version: int
    """The version to look in."""
    units: list[UnitRef]
    """The units whose dependencies are asked for."""
    options_text: str
    """JSON object, as text."""

    @classmethod
    def from_wire(cls, wire: importer_pb2.ResolveRequest) -> ResolveRequest:
        """Reads a message."""
        units = [UnitRef(unit) for unit in wire.units]
        return cls(Attachment.from_wire(wire.attachment), wire.version, units, wire.options)

    @cached_property
    def options(self) -> dict[str, Any]:
        """The options."""
        return from_object("the options", self.options_text)


class Importer(Component):
    """Brings content in. Offer `sync` (the plugin drives), or `list` and `fetch` (the host drives)."""

    def sync(self, request: SyncRequest, context: Context) -> Done:
        """Reads upstream and declares what the new version contains: `Context.unit`, `keep`, `remove`."""
        raise NotOffered("sync")

    def list(self, request: ListRequest, context: Context) -> Done:
        """Says what upstream holds, with revisions: `Context.listed`."""
        raise NotOffered("list")

    def fetch(self, request: FetchRequest, context: Context) -> Done:
        """Hands out one listed item's bytes: `Context.chunk`, `source` or `staged`."""
        raise NotOffered("fetch")

    def upload(self, request: UploadRequest, context: Context) -> Done:
        """Makes units of files that a user brought: `Context.unit`."""
        raise NotOffered("upload")

    def resolve(self, request: ResolveRequest, context: Context) -> Done:
        """Names the units of a version that others depend on: `Context.resolved`."""
        raise NotOffered("resolve")
