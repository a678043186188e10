"""Giving content out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wharf.errors import NotOffered
from wharf.model import Attachment, Done
from wharf.model._json import from_object, to_object
from wharf.role.component import Component
from wharf.v1 import distributor_pb2

if TYPE_CHECKING:
    from wharf.context import Context


@dataclass
class Publication:
    """An earlier publication."""

    id: int = 0
    """The host's number."""
    version: int = 0
    """The version that it shows."""
    identifier: str = ""
    """The provider's identifier, for what was pushed."""

    @classmethod
    def from_wire(cls, wire: distributor_pb2.Publication) -> Publication:
        """Reads a message."""
        return cls(wire.id, wire.version, wire.identifier)


@dataclass
class PublishRequest:
    """What `publish` works with."""

    attachment: Attachment
    version: int
    """The version to publish."""
    units: int
    """How many units it has."""
    previous: Publication | None
    """The publication before; `None`: there is none."""
    timestamp_ms: int
    """The time to write into metadata, milliseconds since 1970, so that output can be reproduced."""
    base_path: str
    """Where the tree will be served: `name` of `/content/name/`."""
    base_url: str
    """Empty: not known."""
    full: bool
    """Nothing may be taken over from the previous publication."""
    signing: list[str]
    """Keys that the host signs with during this call: the one that the attachment names, or none. With one,
    `Context.sign` works."""

    @classmethod
    def from_wire(cls, wire: distributor_pb2.PublishRequest) -> PublishRequest:
        """Reads a message."""
        previous = Publication.from_wire(wire.previous) if wire.HasField("previous") else None
        return cls(
            attachment=Attachment.from_wire(wire.attachment),
            version=wire.version,
            units=wire.units,
            previous=previous,
            timestamp_ms=wire.timestamp_ms,
            base_path=wire.base_path,
            base_url=wire.base_url,
            full=wire.full,
            signing=[*wire.signing],
        )


@dataclass
class UnpublishRequest:
    """What `unpublish` works with."""

    attachment: Attachment
    publication: Publication
    """What to take back."""

    @classmethod
    def from_wire(cls, wire: distributor_pb2.UnpublishRequest) -> UnpublishRequest:
        """Reads a message."""
        attachment = Attachment.from_wire(wire.attachment)
        return cls(attachment, Publication.from_wire(wire.publication))


@dataclass
class ReissueRequest:
    """What `reissue` works with."""

    attachment: Attachment
    publication: Publication
    """The publication that goes live again."""
    timestamp_ms: int
    """The time to write into metadata, milliseconds since 1970."""
    signing: list[str]
    """As in `PublishRequest`."""

    @classmethod
    def from_wire(cls, wire: distributor_pb2.ReissueRequest) -> ReissueRequest:
        """Reads a message."""
        attachment = Attachment.from_wire(wire.attachment)
        publication = Publication.from_wire(wire.publication)
        return cls(attachment, publication, wire.timestamp_ms, [*wire.signing])


@dataclass
class ClientConfigRequest:
    """What `client_config` works with."""

    attachment: Attachment
    publication: Publication
    """The publication to use."""
    base_url: str
    """Where it is served."""
    options_text: str
    """JSON object, as text."""

    @classmethod
    def from_wire(cls, wire: distributor_pb2.ClientConfigRequest) -> ClientConfigRequest:
        """Reads a message."""
        attachment = Attachment.from_wire(wire.attachment)
        publication = Publication.from_wire(wire.publication)
        return cls(attachment, publication, wire.base_url, wire.options)

    @cached_property
    def options(self) -> dict[str, Any]:
        """The options."""
        return from_object("the options", self.options_text)


class ClientConfig:
    """What a client needs to use a publication."""

    __slots__ = ("wire",)

    def __init__(self) -> None:
        self.wire = distributor_pb2.ClientConfigResponse()

    def file(self, name: str, media_type: str, content: bytes) -> ClientConfig:
        """A file for the client, such as `/etc/apt/sources.list.d/NAME.sources`."""
        self.wire.files.add(name=name, media_type=media_type, content=content)
        return self

    def data(self, data: Mapping[str, object]) -> ClientConfig:
        """An object for programs."""
        self.wire.data = to_object("the client's data", data)
        return self


class Distributor(Component):
    """Gives content out: as a tree that the host serves, by pushing it somewhere, or as a document."""

    def publish(self, request: PublishRequest, context: Context) -> Done:
        """Makes a publication of one version: `Context.file`, `pass_through`, `reuse`, `alias`, `variant`."""
        raise NotOffered("publish")

    def unpublish(self, request: UnpublishRequest, context: Context) -> Done:
        """Takes back what `publish` put elsewhere."""
        raise NotOffered("unpublish")

    def reissue(self, request: ReissueRequest, context: Context) -> Done:
        """Fresh entry points for a publication that goes live again."""
        raise NotOffered("reissue")

    def client_config(self, request: ClientConfigRequest) -> ClientConfig:
        """What a client must be told to use the publication."""
        raise NotOffered("client_config")
