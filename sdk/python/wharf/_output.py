"""Standard output belongs to the handshake.

A plugin's libraries may print whatever they like, even while they are imported: whoever prints to standard output,
this process or a child of it, reaches standard error instead, and so the host's log. Only the handshake line goes
where the host reads it.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TYPE_CHECKING

from wharf._limits import COOKIE_KEY, COOKIE_VALUE

if TYPE_CHECKING:
    from typing_extensions import Buffer

PARENT = os.getppid()
"""Who started this process; another number later says that it is gone. Read as early as can be."""
_lock = threading.Lock()
_kept: list[int] = []


def is_launched() -> bool:
    """Whether a host started this program."""
    return os.environ.get(COOKIE_KEY) == COOKIE_VALUE


def reserve_if_launched() -> None:
    """Keeps standard output back for the handshake, if a host started this program."""
    with _lock:
        if _kept or not is_launched():
            return
        sys.stdout.flush()
        _kept.append(os.dup(1))
        os.dup2(2, 1)
        sys.stdout, sys.stderr = _text(1), _text(2)


class _Unread(io.FileIO):
    """A descriptor whose reader may go: whoever prints then goes on, because nobody minds."""

    def write(self, data: Buffer, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def _text(descriptor: int) -> io.TextIOWrapper:
    buffer = io.BufferedWriter(_Unread(descriptor, "w", closefd=False))
    return io.TextIOWrapper(buffer, "utf-8", errors="backslashreplace", line_buffering=True)


def announce(line: str) -> None:
    """Writes the handshake line where the host reads it."""
    data = line.encode() + b"\n"
    while data:
        data = data[os.write(_kept[0], data) :]
