"""A delegate's own process: started, told what to do, listened to, and ended with everything that it started.

Plugins know nothing of cancelling: a method that does not return can only be ended with its process. So each delegate has
one, in a group of its own: SIGTERM has it abort, and what is left of the group when the grace time is over is killed.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from wharf._limits import COOKIE_KEY
from wharf.compat.imagefactory.delegate._channel import MAX_LINE_BYTES
from wharf.context import Context, HookContext
from wharf.errors import Cancelled, Error, Fault, OperationError, UsageError
from wharf.host import Claim

_log = logging.getLogger("wharf.compat.imagefactory")
_WAIT = 30.0
"""Seconds that one question for a place or a lock waits at the host; it is asked again."""
GRACE = 5.0
"""Seconds that a delegate has to abort."""
_MAX_PRINTED = 1 << 20
"""Bytes of a line that a plugin prints."""
BEAT = 0.2
"""Seconds between two looks at whether a stop is wanted."""
_PROTOCOL = (COOKIE_KEY, "PLUGIN_")
"""Variables that begin like this belong to the program, not to what it starts."""


class DelegateProcess:
    """One process; one call at a time."""

    def __init__(self, info: Path, folder: Path) -> None:
        """Info: the plugin's file. Folder: the job's own."""
        self._folder = folder
        self._context: Context | HookContext | None = None
        self._percent, self._activity = 0, ""
        self._received = b""
        ours, theirs = socket.socketpair()
        self._connection = ours
        temporary = folder / "tmp"
        temporary.mkdir(exist_ok=True)
        self._output = b""
        self._is_silent = False
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_PROTOCOL)}
        module = "wharf.compat.imagefactory.delegate"
        command = [sys.executable, "-IBu", "-m", module, str(info), str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this very Python
                command,
                cwd=folder,
                env={**kept, "TMPDIR": str(temporary)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._printed = _pipe(self._process)

    def call(self, order: dict[str, Any], context: Context | HookContext) -> dict[str, Any]:
        """Has the delegate do something; raises what the plugin raised, as wharf's errors. After an error it is ended."""
        self._context = context
        try:
            self._send(order)
            while True:
                message = self._receive()
                context.check_cancelled()
                # What was printed before the message was told comes first.
                self._read_printed()
                if message is None:
                    self._tell_progress(context, "")
                elif message["what"] == "done":
                    answer: dict[str, Any] = message["answer"]
                    return answer
                else:
                    self._handle(message, context)
        except BaseException:
            self.stop()
            raise
        finally:
            self._context = None

    def stop(self) -> None:
        """Ends the process and all of its group."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._connection.close()
        self._printed.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            raise self._gone() from None

    def _receive(self) -> dict[str, Any] | None:
        """The next message; `None`: there was none for a beat."""
        while b"\n" not in self._received:
            if len(self._received) > MAX_LINE_BYTES:
                raise Fault("internal.delegate", "the plugin's process sent a message without end")
            sources: list[Any] = [self._connection, *([] if self._is_silent else [self._printed])]
            ready, _, _ = select.select(sources, [], [], BEAT)
            if self._connection not in ready:
                self._read_printed()
                return None
            piece = self._connection.recv(64 << 10)
            if not piece:
                raise self._gone()
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message

    def _gone(self) -> Fault:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        code = self._process.returncode
        how = f"signal {-code}" if code is not None and code < 0 else f"status {code}"
        message = f"the plugin's process ended in the middle of a method, with {how}; its output is in the log"
        return Fault("internal.delegate", message)

    def _handle(self, message: dict[str, Any], context: Context | HookContext) -> None:
        match message["what"]:
            case "log":
                self._tell_line(int(message["level"]), message["text"])
            case "warning" if isinstance(context, Context):
                context.warn("content.imagefactory", message["text"])
            case "progress":
                self._percent = max(self._percent, int(message["percent"]))
                self._tell_progress(context, message["activity"])
            case "acquire":
                self._send({"answer": _acquired(message, context)})
            case "release":
                with contextlib.suppress(Error):
                    context.release(message["grant"])
                self._send({"answer": None})
            case "failed":
                raise OperationError("source.imagefactory", message["text"])
            case "unusable":
                raise UsageError("config.plugin", message["text"])
            case "broken":
                for line in message["trace"].splitlines():
                    self._tell_line(logging.ERROR, line)
                raise Fault("internal.plugin", message["text"])

    def _tell_progress(self, context: Context | HookContext, activity: str) -> None:
        self._activity = told = activity or self._activity
        if isinstance(context, Context):
            context.progress(self._percent, 100, unit="percent", phase="plugin", activity=told)

    def _tell_line(self, level: int, text: str) -> None:
        context = self._context
        if isinstance(context, Context):
            context.log(level, text)
        else:
            _log.log(level, "%s", text)

    def _read_printed(self) -> None:
        """Tells what the plugin and its tools printed so far, line by line."""
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._printed.fileno(), 64 << 10):
                *lines, self._output = (self._output + piece).split(b"\n")
                for line in lines:
                    self._tell_line(logging.INFO, line.decode("utf-8", "replace").rstrip())
                if len(self._output) > _MAX_PRINTED:
                    self._output = b""
                    raise Fault("internal.delegate", "the plugin printed a line without end")
            self._is_silent = True


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    pipe = process.stdout
    if pipe is None:
        raise Fault("internal.delegate", "a process was started without its output")
    os.set_blocking(pipe.fileno(), False)
    return pipe


def _acquired(message: dict[str, Any], context: Context | HookContext) -> dict[str, Any]:
    """What the host says about a wish. One that waits is asked again until it is granted, or a stop is wanted."""
    claim = Claim(
        message["kind"], message["name"], message["amount"], _WAIT if message["wait"] else 0.0
    )
    while True:
        started = time.monotonic()
        try:
            return {"offered": True, "grant": context.acquire(claim)}
        except Cancelled:
            raise
        except Error as error:
            if error.code == "internal.host.not_offered":
                return {"offered": False, "grant": None}
            if not message["wait"]:
                return {"offered": True, "grant": None}
            if not isinstance(error, OperationError):
                raise
        # A host that does not wait would be asked without pause.
        context.wait_cancelled(max(0.0, 1.0 - (time.monotonic() - started)))
        context.check_cancelled()
