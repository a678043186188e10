"""What the parts of the context share: the job's facts, the way to the host, the way of events."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from wharf._cancellation import Cancellation
from wharf.context._batch import Batches
from wharf.context._channel import Channel
from wharf.errors import Cancelled
from wharf.host import Way
from wharf.v1 import event_pb2, model_pb2


class Call:
    """What is known of a call, whether it tells events or not."""

    def __init__(self, job: model_pb2.JobContext, way: Way, cancellation: Cancellation) -> None:
        self._job = job
        self._started = time.monotonic()
        self._way = way
        self._cancellation = cancellation

    @property
    def job_number(self) -> int:
        """The job's number, for logs."""
        return self._job.job

    @property
    def attempt(self) -> int:
        """1 for the first try, 2 for the retry after a fault."""
        return self._job.attempt

    @property
    def work_dir(self) -> Path:
        """The job's private folder, absolute. Files for the host are staged in it and named relative to it."""
        return Path(self._job.work_dir)

    @property
    def traceparent(self) -> str:
        """W3C trace context of the call, or an empty text."""
        return self._job.traceparent

    @property
    def time_left(self) -> float | None:
        """Seconds that are left; `None` when no limit is set."""
        if not self._job.deadline_ms:
            return None
        return max(0.0, self._job.deadline_ms / 1_000 - (time.monotonic() - self._started))

    @property
    def is_cancelled(self) -> bool:
        """Whether a stop is wanted."""
        return self._cancellation.is_set()

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Returns as soon as a stop is wanted, or after so many seconds; tells whether it is. The sleep of a plugin."""
        return self._cancellation.wait(timeout)

    def check_cancelled(self) -> None:
        """Raises `Cancelled` when a stop is wanted, for work that does not talk to the host."""
        if self._cancellation.is_set():
            raise Cancelled


class Core(Call):
    """What the parts of `Context` build on that tell something."""

    def __init__(self, job: model_pb2.JobContext, way: Way, cancellation: Cancellation) -> None:
        super().__init__(job, way, cancellation)
        self._channel = Channel()
        self._batches = Batches()
        self._lock = threading.Lock()

    def flush(self) -> None:
        """Sends everything that still waits in batches.

        Authors rarely need this: batches are sent when full, when older than a second, and at the end.
        """
        with self._lock:
            events = self._batches.take_all()
        for event in events:
            self._put(event)

    def _send(self, event: event_pb2.Event) -> None:
        self._put(event.SerializeToString())

    def _put(self, event: bytes) -> None:
        self.check_cancelled()
        self._channel.put(event)

    def _add(self, field: int, entry: bytes) -> None:
        """Adds an encoded entry to its batch, and sends the batch when it is due."""
        if self._cancellation.is_set():
            raise Cancelled
        with self._lock:
            due = self._batches.push(field, entry)
        if due is not None:
            self._channel.put(due)
