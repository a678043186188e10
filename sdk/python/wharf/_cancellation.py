"""A wish to stop, and what it must wake."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancellation:
    """Set once; tells those who wait for something else."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._wake: dict[object, Callable[[], object]] = {}

    def is_set(self) -> bool:
        """Whether a stop is wanted."""
        return self._event.is_set()

    def wait(self, timeout: float | None) -> bool:
        """Waits for it, at most so many seconds; tells whether it is there."""
        return self._event.wait(timeout)

    def set(self) -> None:
        """A stop is wanted."""
        with self._lock:
            self._event.set()
            wake = [*self._wake.values()]
        for call in wake:
            call()

    @contextmanager
    def waking(self, call: Callable[[], object]) -> Iterator[None]:
        """Makes this call when a stop is wanted while the block runs, or was wanted already."""
        mark = object()
        with self._lock:
            self._wake[mark] = call
            late = self._event.is_set()
        try:
            if late:
                call()
            yield
        finally:
            with self._lock:
                del self._wake[mark]
