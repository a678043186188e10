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

from wharf._limits import COOKIE_KEY, COOKIE_VALUE

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
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.flush()
            sys.stdout.reconfigure(line_buffering=True)
        _kept.append(os.dup(1))
        os.dup2(2, 1)


def announce(line: str) -> None:
    """Writes the handshake line where the host reads it."""
    data = line.encode() + b"\n"
    while data:
        data = data[os.write(_kept[0], data) :]
