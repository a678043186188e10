"""The bounded way of a call's events from the method's thread to the stream that the host reads.

A method that is faster than its host waits in `put`. A cancel wakes everybody at once. Never drops an event that was
taken, and never holds more than its few.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from wharf.errors import Cancelled

WAITING = 4
"""Events that may wait for the host. One holds up to 1,000 entries, so a few are plenty."""


class Channel:
    """Encoded events, at most `WAITING` of them."""

    def __init__(self) -> None:
        self._events: deque[bytes] = deque()
        self._changed = threading.Condition()
        self._cancelled = False
        self._ended = False

    def put(self, event: bytes) -> None:
        """Adds an event, waiting while the host is behind; `Cancelled` when a stop is wanted."""
        with self._changed:
            while len(self._events) >= WAITING and not (self._cancelled or self._ended):
                self._changed.wait()
            if self._cancelled or self._ended:
                raise Cancelled
            self._events.append(event)
            self._changed.notify_all()

    def end(self, events: list[bytes]) -> None:
        """Adds the last events, after which nothing counts any more. Waits for nobody: they are few and small, and the
        method is done.
        """
        with self._changed:
            if not self._ended:
                self._events.extend(events)
                self._ended = True
                self._changed.notify_all()

    def cancel(self) -> None:
        """A stop is wanted."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def get(self, grace: float) -> bytes | None:
        """The next event, `None` at the end. After a cancel it waits `grace` seconds for the method's own end, then
        raises `TimeoutError`.
        """
        with self._changed:
            while not (self._events or self._ended or self._cancelled):
                self._changed.wait()
            deadline = time.monotonic() + grace
            while not (self._events or self._ended):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                self._changed.wait(left)
            if not self._events:
                return None
            event = self._events.popleft()
            self._changed.notify_all()
            return event
