"""Messages between a delegate's process and its program: JSON objects, a line each, over a socket."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

MAX_LINE_BYTES = 16 << 20
"""More is none of our messages."""


class Channel:
    """The delegate's end. Several threads may tell and ask; one receives orders."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lines = connection.makefile("rb")
        # A handler of signals may tell something in the middle of telling something else.
        self._sending = threading.RLock()
        self._asking = threading.Lock()

    def tell(self, what: str, **content: Any) -> None:
        """Tells something that needs no answer."""
        line = json.dumps({"what": what, **content}, default=str).encode() + b"\n"
        with self._sending:
            self._connection.sendall(line)

    def ask(self, what: str, **content: Any) -> Any:
        """Asks, and waits for the answer."""
        with self._asking:
            self.tell(what, **content)
            answer = self.receive()
        if answer is None:
            raise ConnectionError("the program that started this delegate is gone")
        return answer["answer"]

    def receive(self) -> dict[str, Any] | None:
        """The next message; `None`: there will be none."""
        line = self._lines.readline(MAX_LINE_BYTES)
        message: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return message
