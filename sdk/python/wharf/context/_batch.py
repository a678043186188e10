"""Gathering entries into messages: at most 1,000 entries and 1 MiB each, and none waits longer than a second while
others come.

Every entry is encoded once, when it is told, so its size is exact and costs nothing more. A batch is then put together
from the encoded entries: in every message of entries they are field 1, length-delimited, and the message is one field
of `Event`. Source: protobuf's wire format.
"""

from __future__ import annotations

import time

from wharf._limits import MAX_BATCH, MAX_MESSAGE_BYTES
from wharf.errors import Cancelled, Fault
from wharf.v1 import event_pb2

LIMIT = MAX_MESSAGE_BYTES - 16
"""Bytes of a batch; the rest of the message is for its two headers."""
PATIENCE = 1.0
"""Seconds that a first entry waits for company, as long as more entries come."""
PROGRESS_EVERY = 0.1
"""Progress closer together than this many seconds is dropped, but for the last."""


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _header(field: int, length: int) -> bytes:
    return _varint(field << 3 | 2) + _varint(length)


class Batch:
    """Encoded entries of one field of `Event`."""

    __slots__ = ("_bytes", "_field", "_parts", "_since")

    def __init__(self, field: int) -> None:
        self._field = field
        self._parts: list[bytes] = []
        self._bytes = 0
        self._since = 0.0

    def push(self, entry: bytes, now: float) -> bytes | None:
        """Adds an entry and gives the encoded event that must be sent now, if any."""
        length = len(entry)
        # Two bytes hold lengths up to 16 KiB, which is nearly always enough.
        if length < 0x80:
            header = bytes((0x0A, length))
        elif length < 0x4000:
            header = bytes((0x0A, length & 0x7F | 0x80, length >> 7))
        else:
            header = _header(1, length)
        size = len(header) + length
        overflow = self.take() if self._bytes + size > LIMIT else None
        parts = self._parts
        if not parts:
            self._since = now
        parts.append(header)
        parts.append(entry)
        self._bytes += size
        if overflow is not None:
            return overflow
        due = len(parts) >= 2 * MAX_BATCH or now - self._since >= PATIENCE
        return self.take() if due else None

    def take(self) -> bytes | None:
        """The encoded event of what waits; `None` when nothing does."""
        if not self._parts:
            return None
        event = b"".join((_header(self._field, self._bytes), *self._parts))
        self._parts = []
        self._bytes = 0
        return event


class Batches:
    """All batches of a call. Not safe for several threads: the context locks."""

    def __init__(self) -> None:
        self._of: dict[int, Batch] = {}
        self._progress: event_pb2.Progress | None = None
        self._progress_sent = float("-inf")
        self._closed = False

    def push(self, field: int, entry: bytes) -> bytes | None:
        """Adds an encoded entry and gives the encoded event that must be sent now, if any."""
        if self._closed:
            raise Cancelled
        if len(entry) > LIMIT - 8:
            message = f"one entry takes {len(entry)} bytes; a message holds {LIMIT - 8}"
            raise Fault("limit.message", message)
        batch = self._of.get(field)
        if batch is None:
            batch = self._of[field] = Batch(field)
        return batch.push(entry, time.monotonic())

    def progress(self, progress: event_pb2.Progress) -> bytes | None:
        """Takes progress, and gives the encoded event when it is due."""
        now = time.monotonic()
        if self._closed or now - self._progress_sent < PROGRESS_EVERY:
            self._progress = progress
            return None
        self._progress = None
        self._progress_sent = now
        return event_pb2.Event(progress=progress).SerializeToString()

    def take_all(self) -> list[bytes]:
        """Everything that waits, as encoded events."""
        events = [
            event for _, batch in sorted(self._of.items()) if (event := batch.take()) is not None
        ]
        if self._progress is not None:
            events.append(event_pb2.Event(progress=self._progress).SerializeToString())
            self._progress = None
        return events

    def close(self) -> list[bytes]:
        """Takes everything, and nothing from now on."""
        self._closed = True
        return self.take_all()
