"""What distributors tell: the files of a publication."""

from __future__ import annotations

from collections.abc import Sequence

from wharf.context._core import Core
from wharf.model import PublishedFile
from wharf.v1 import event_pb2

_Event = event_pb2.Event


class Publish(Core):
    """The part of `Context` for distributors."""

    def file(self, file: PublishedFile) -> None:
        """A file of the publication."""
        self._add(_Event.FILES_FIELD_NUMBER, file.wire.SerializeToString())

    def pass_through(self, prefix: str = "", kinds: Sequence[str] = ()) -> None:
        """Every file of every unit of the published version, at its own path below a prefix, which may be empty. Only
        units of these types; none means all.
        """
        self._send(_Event(pass_through=event_pb2.PassThrough(prefix=prefix, types=kinds)))

    def reuse(self, publication: int, prefix: str) -> None:
        """Takes over the entries of the previous publication below a prefix unchanged."""
        self._send(_Event(reuse=event_pb2.Reuse(publication=publication, prefix=prefix)))

    def alias(self, path: str, target: str) -> None:
        """A second name of a published path, with the same bytes."""
        self._second_name(event_pb2.Alias(path=path, target=target))

    def redirect(self, path: str, target: str) -> None:
        """A second name of a published path, answered with a redirect."""
        self._second_name(event_pb2.Alias(path=path, target=target, redirect=True))

    def _second_name(self, alias: event_pb2.Alias) -> None:
        self._add(_Event.ALIASES_FIELD_NUMBER, alias.SerializeToString())

    def variant(self, path: str, target: str, media_type: str, also: Sequence[str] = ()) -> None:
        """A representation of a path that has several; the host chooses by what the client accepts. `path`: a folder of
        the tree with a slash at its end, or a path without a file of its own. `target`: a published file. `media_type`:
        sent as it is. `also`: other media types under which clients ask for it. The first variant told is sent to
        whoever likes several equally.
        """
        self._variant(event_pb2.Variant(path=path, target=target, media_type=media_type, also=also))

    def encoded_variant(self, path: str, target: str, media_type: str, encoding: str) -> None:
        """A published file that is a variant of `path` in an encoding, `gzip`: clients that accept it get this in place
        of the variant of the same media type that is not encoded.
        """
        self._variant(
            event_pb2.Variant(path=path, target=target, media_type=media_type, encoding=encoding)
        )

    def _variant(self, variant: event_pb2.Variant) -> None:
        self._add(_Event.VARIANTS_FIELD_NUMBER, variant.SerializeToString())
