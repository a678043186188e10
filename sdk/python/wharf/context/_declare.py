"""What importers and builders tell: units, listings, bytes."""

from __future__ import annotations

from collections.abc import Mapping

from wharf.context._core import Core
from wharf.model import Keep, ListedItem, Unit, UnitRef
from wharf.v1 import event_pb2

_Event = event_pb2.Event
_UNITS = _Event.UNITS_FIELD_NUMBER
CHUNK = 512 << 10
"""The most bytes of one chunk."""


class Declare(Core):
    """The part of `Context` for importers, builders and migrations."""

    def unit(self, unit: Unit) -> None:
        """The new version contains this unit. The host compares, fetches what is missing and counts."""
        self._add(_UNITS, unit.wire.SerializeToString())

    def keep(self, keep: Keep) -> None:
        """Units of the base version that the new version contains too, without sending them again."""
        self._send(_Event(keep=keep.wire))

    def remove(self, unit: UnitRef) -> None:
        """A unit that the new version does not contain. Additive mode only."""
        self._add(_Event.REMOVE_FIELD_NUMBER, unit.wire.SerializeToString())

    def listed(self, item: ListedItem) -> None:
        """An item of a listing."""
        self._add(_Event.LISTED_FIELD_NUMBER, item.wire.SerializeToString())

    def cursor(self, cursor: str) -> None:
        """A later listing with this cursor continues behind the items sent so far."""
        self.flush()
        self._send(_Event(listed=event_pb2.ListedItems(cursor=cursor)))

    def resolved(self, unit: UnitRef) -> None:
        """A unit that others depend on."""
        self._add(_Event.RESOLVED_FIELD_NUMBER, unit.wire.SerializeToString())

    def chunk(self, data: bytes | bytearray | memoryview) -> None:
        """The next bytes of a fetched item, in order. Of any size; they are cut as the contract asks."""
        view = memoryview(data)
        for start in range(0, len(view), CHUNK):
            chunk = bytes(view[start : start + CHUNK])
            self._send(_Event(content=event_pb2.Content(chunk=chunk)))

    def revision(self, revision: str) -> None:
        """In `fetch`, before the bytes: what they really are a revision of, where the item changed since it was listed.

        Size and revision of the listing then do not count any more.
        """
        self._send(_Event(content=event_pb2.Content(revision=revision)))

    def source(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        """A fetched item's bytes are to be had from this address."""
        content = event_pb2.Content(source={"url": url, "headers": headers or {}})
        self._send(_Event(content=content))

    def staged(self, path: str) -> None:
        """A fetched item's bytes are in this file, named relative to `work_dir`."""
        self._send(_Event(content=event_pb2.Content(staged=path)))
