"""The processes of delegates: one for each call, or one that lives on from a hook to the build behind it, so that what the
delegate remembers of its first methods is there at its last.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wharf.compat.imagefactory._process import DelegateProcess
from wharf.context import Context, HookContext


class Kept:
    """Who starts processes, and ends them. A program works for one job at a time, so one is kept at most."""

    def __init__(self, info: Path) -> None:
        self._info = info
        self._lock = threading.Lock()
        self._waiting: tuple[int, DelegateProcess] | None = None

    @contextmanager
    def lent(
        self, context: Context | HookContext, *, keep: bool = False
    ) -> Iterator[DelegateProcess]:
        """The process that an earlier call of this job left, or a new one. Keep: a later call of the job wants it."""
        process = self._take(context.job_number) or DelegateProcess(self._info, context.work_dir)
        try:
            yield process
        except BaseException:
            process.stop()
            raise
        if not keep:
            process.stop()
            return
        with self._lock:
            before, self._waiting = self._waiting, (context.job_number, process)
        if before is not None:
            before[1].stop()

    def end(self, job: int) -> None:
        """The job needs none any more."""
        process = self._take(job)
        if process is not None:
            process.stop()

    def close(self) -> None:
        """Ends whatever waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting[1].stop()

    def _take(self, job: int) -> DelegateProcess | None:
        with self._lock:
            if self._waiting is None or self._waiting[0] != job:
                return None
            _job, process = self._waiting
            self._waiting = None
            return process
