"""Reservations: space, places in queues, locks by name, ports. Through the host where it offers them, so that they end
with the job; else within this process.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from wharf.compat.imagefactory.imgfac._configuration import ApplicationConfiguration
from wharf.compat.imagefactory.imgfac._singleton import Singleton

FIRST_PORT = 1025


class Way(Protocol):
    """The way to the host."""

    def acquire(self, kind: str, name: str, amount: int, *, wait: bool) -> int | None:
        """A grant; `None`: it is not to be had. Raises `LookupError` when the host offers no grants."""

    def release(self, grant: int) -> None:
        """Gives a grant back."""


class NamedLock:
    """A lock that all plugins know by its name."""

    def __init__(self, manager: ReservationManager, name: str) -> None:
        self._manager = manager
        self._name = name
        self._own = threading.Lock()
        self._grant: int | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 - as plugins call it
        """Takes it; tells whether it was to be had."""
        if not self._own.acquire(blocking, timeout):
            return False
        try:
            self._grant = self._manager.granted("lock", self._name, 1, wait=blocking)
        except LookupError:
            return True
        except BaseException:
            self._own.release()
            raise
        if self._grant is None:
            self._own.release()
        return self._grant is not None

    def release(self) -> None:
        """Gives it back."""
        grant, self._grant = self._grant, None
        try:
            if grant is not None:
                self._manager.given_back(grant)
        finally:
            self._own.release()

    def locked(self) -> bool:
        """Whether this process has it."""
        return self._own.locked()

    def __enter__(self) -> NamedLock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class ReservationManager(Singleton):
    """One for the process."""

    way: Way | None = None
    """Set by whoever starts the delegate."""

    def _begin(self) -> None:
        self.default_minimum: int = ApplicationConfiguration().configuration["minimum_free_space"]
        self._lock = threading.Lock()
        self._files: dict[str, tuple[int, int | None]] = {}
        self._locks: dict[str, NamedLock] = {}
        self._queues: dict[str, threading.Semaphore] = {}
        self._places: defaultdict[str, list[int | None]] = defaultdict(list)
        self._port = FIRST_PORT

    def granted(self, kind: str, name: str, amount: int, *, wait: bool) -> int | None:
        """What the host says; raises `LookupError` where none says anything."""
        if self.way is None:
            raise LookupError(kind)
        return self.way.acquire(kind, name, amount, wait=wait)

    def given_back(self, grant: int) -> None:
        """Tells the host."""
        if self.way is not None:
            self.way.release(grant)

    def available_space_for_path(self, path: str) -> int:
        """Bytes on the file system of this path, less the minimum that stays free and what is reserved."""
        folder = Path(path)
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        state = os.statvfs(folder)
        with self._lock:
            reserved = sum(size for size, grant in self._files.values() if grant is None)
        return state.f_bavail * state.f_frsize - self.default_minimum - reserved

    def reserve_space_for_file(self, size: float, filepath: str) -> bool:
        """Whether so many bytes are kept free for this file from now on."""
        path, amount = str(filepath), int(size)
        try:
            grant = self.granted("space", path, amount, wait=False)
            if grant is None:
                return False
        except LookupError:
            grant = None
            if self.available_space_for_path(path) < amount:
                return False
        with self._lock:
            self._files[path] = (amount, grant)
        return True

    def cancel_reservation_for_file(self, filepath: str, quiet: bool = False) -> bool:  # noqa: FBT001, FBT002 - as plugins call it
        """Gives the space back; tells whether there was any."""
        with self._lock:
            reserved = self._files.pop(str(filepath), None)
        if reserved is None:
            if not quiet:
                raise KeyError(f"nothing is reserved for {filepath}")
            return False
        _size, grant = reserved
        if grant is not None:
            self.given_back(grant)
        return True

    def enter_queue(self, queue: str = "local") -> None:
        """Waits for a place."""
        grant: int | None = None
        try:
            while grant is None:
                grant = self.granted("queue", queue, 1, wait=True)
        except LookupError:
            self._queue(queue).acquire()
        with self._lock:
            self._places[queue].append(grant)

    def exit_queue(self, queue: str = "local") -> None:
        """Leaves it."""
        with self._lock:
            if not self._places[queue]:
                raise ValueError(f"the queue {queue} was never entered")
            grant = self._places[queue].pop()
        if grant is None:
            self._queue(queue).release()
        else:
            self.given_back(grant)

    def get_named_lock(self, name: str) -> NamedLock:
        """The lock of this name."""
        with self._lock:
            return self._locks.setdefault(name, NamedLock(self, name))

    def get_next_listen_port(self) -> int:
        """A number that nobody here was given before."""
        with self._lock:
            port, self._port = self._port, self._port + 1
            return port

    def _queue(self, name: str) -> threading.Semaphore:
        configuration: dict[str, Any] = ApplicationConfiguration().configuration
        width = int(configuration.get(f"max_concurrent_{name}_sessions", 1))
        with self._lock:
            return self._queues.setdefault(name, threading.Semaphore(width))
