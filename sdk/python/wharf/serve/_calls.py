"""Running a method as a call: its thread, its stream of events, and its end.

The method runs in a thread of its own, so that the stream can end without it: when the host drops the call, or the
plugin stops, the method is told, gets a grace time, and is left behind. An exception that the contract does not know is
a fault of this call, not the end of the process.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import grpc

from wharf._cancellation import Cancellation
from wharf._text import fit
from wharf.context import Context
from wharf.errors import Cancelled, NotOffered, of_exception, to_status
from wharf.errors import Error as PluginError
from wharf.host import Dialer, Way
from wharf.model import Done
from wharf.v1 import event_pb2, model_pb2

_log = logging.getLogger("wharf.call")
T = TypeVar("T")
Method = Callable[[Context], Done]
LAST_WORDS = 0.2
"""Seconds that a thread gets to end after its last event."""


def settled(error: BaseException) -> PluginError:
    """The error that ends a call; the trace of what is none of the contract's goes to the log."""
    if not isinstance(error, PluginError):
        _log.error("a method raised an exception", exc_info=error)
    return of_exception(error)


class Call:
    """One long call."""

    def __init__(self, job: model_pb2.JobContext, dialer: Dialer, grace: float) -> None:
        self._cancellation = Cancellation()
        way = Way(dialer, job.host_address, job.token, self._cancellation)
        self._context = Context(job, way, self._cancellation)
        self._channel = self._context._channel
        self._grace = grace
        self._not_offered: NotOffered | None = None
        self._thread: threading.Thread | None = None
        self.has_ended = False

    def start(self, method: Method) -> None:
        """Begins with the method. The thread dies with the process, because a method may never end."""
        name = f"job-{self._context.job_number}"
        self._thread = threading.Thread(target=self._run, args=(method,), name=name, daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """The host dropped the call, or the plugin stops."""
        self._cancellation.set()
        self._channel.cancel()

    def join(self, timeout: float) -> bool:
        """Waits for the method; tells whether it ended."""
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self, method: Method) -> None:
        try:
            done = method(self._context)
            if not isinstance(done, Done):
                raise TypeError(f"the method returned {done!r}, and no Done")  # noqa: TRY301
        except NotOffered as error:
            self._not_offered = error
            self._end(event_pb2.Event(error=error.to_wire()))
        except BaseException as error:  # noqa: BLE001 - also SystemExit ends the call alone
            self._end(event_pb2.Event(error=settled(error).to_wire()))
        else:
            self._end(event_pb2.Event(result=done.wire))
        finally:
            self.has_ended = True

    def _end(self, last: event_pb2.Event) -> None:
        context = self._context
        with context._lock:
            waiting = context._batches.close()
        self._channel.end([*waiting, last.SerializeToString()])

    def events(self, rpc: grpc.ServicerContext) -> Iterator[bytes]:
        """The encoded events of the call, as the host reads them."""
        try:
            while (event := self._channel.get(self._grace)) is not None:
                if self._not_offered is not None:
                    rpc.abort(grpc.StatusCode.UNIMPLEMENTED, str(self._not_offered))
                yield event
        except TimeoutError:
            number = self._context.job_number
            _log.warning(
                "a method did not end after a cancel and is left behind", extra={"job": number}
            )
            yield event_pb2.Event(error=Cancelled().to_wire()).SerializeToString()


class Calls:
    """All calls of the plugin: who owns their threads, what stops them, how they reach the host."""

    def __init__(self, dialer: Dialer, grace: float) -> None:
        self.grace = grace
        self._dialer = dialer
        self._running: set[Call] = set()
        self._asking: set[Cancellation] = set()
        self._lock = threading.Lock()
        self._stopping = False

    def start(
        self, job: model_pb2.JobContext, method: Method, rpc: grpc.ServicerContext
    ) -> Iterator[bytes]:
        """Starts a long call and hands out its events."""
        call = Call(job, self._dialer, self.grace)
        with self._lock:
            stopping = self._stopping
            # Those that were left behind count until their methods end.
            self._running = {it for it in self._running if not it.has_ended}
            if not stopping:
                self._running.add(call)
        if stopping:
            rpc.abort(grpc.StatusCode.UNAVAILABLE, "the plugin is stopping")
        try:
            # Called when the call is over for whatever reason.
            if rpc.add_callback(call.cancel):
                call.start(method)
                yield from call.events(rpc)
        finally:
            call.cancel()
            if call.join(LAST_WORDS):
                with self._lock:
                    self._running.discard(call)

    def answer(self, method: Callable[[], T], rpc: grpc.ServicerContext) -> T:
        """Answers a call with one message: refuses it while stopping, and turns an exception into a fault."""
        if self._stopping:
            rpc.abort(grpc.StatusCode.UNAVAILABLE, "the plugin is stopping")
        try:
            return method()
        except Exception as error:  # noqa: BLE001 - whatever the author's code raises
            failure = settled(error)
            return rpc.abort(to_status(failure), fit(failure.whole_message()))

    @contextmanager
    def asking(
        self, job: model_pb2.JobContext, rpc: grpc.ServicerContext
    ) -> Iterator[tuple[Way, Cancellation]]:
        """The way to the host of a call that is answered with one message, and what cancels it."""
        cancellation = Cancellation()
        with self._lock:
            self._asking.add(cancellation)
        try:
            if self._stopping or not rpc.add_callback(cancellation.set):
                cancellation.set()
            yield Way(self._dialer, job.host_address, job.token, cancellation), cancellation
        finally:
            with self._lock:
                self._asking.discard(cancellation)

    def stop(self) -> bool:
        """Cancels all calls and refuses new ones; tells whether all methods ended within their grace time."""
        with self._lock:
            self._stopping = True
            calls, asking = [*self._running], [*self._asking]
        for call in calls:
            call.cancel()
        for cancellation in asking:
            cancellation.set()
        deadline = time.monotonic() + self.grace
        ended = [call.join(max(0.0, deadline - time.monotonic())) for call in calls]
        return all(ended)
