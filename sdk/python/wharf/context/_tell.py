"""What every call can tell: log lines, progress, warnings, outcomes, products."""

from __future__ import annotations

import contextlib
import enum
import logging
from collections.abc import Mapping

from wharf._text import fit
from wharf.context._core import Core
from wharf.errors import Cancelled, Scope, of_exception
from wharf.model import Job
from wharf.model._json import to_object
from wharf.v1 import event_pb2

_Event = event_pb2.Event
_LEVELS = (
    (logging.ERROR, event_pb2.LOG_LEVEL_ERROR),
    (logging.WARNING, event_pb2.LOG_LEVEL_WARN),
    (logging.INFO, event_pb2.LOG_LEVEL_INFO),
    (logging.DEBUG, event_pb2.LOG_LEVEL_DEBUG),
)


class Outcome(enum.Enum):
    """What became of an item that the plugin decided on itself. Outcomes of declared units are the host's to tell."""

    ADDED = event_pb2.OUTCOME_ADDED
    CHANGED = event_pb2.OUTCOME_CHANGED
    UNCHANGED = event_pb2.OUTCOME_UNCHANGED
    REMOVED = event_pb2.OUTCOME_REMOVED
    SKIPPED = event_pb2.OUTCOME_SKIPPED


class Tell(Core):
    """The part of `Context` for calls of every kind."""

    def log(self, level: int, text: str, **fields: object) -> None:
        """A line of the job's log, with fields; levels are those of `logging`. A line that cannot be sent any more is
        dropped: whatever ended the call shows at the next thing that counts.
        """
        found = (wire for least, wire in _LEVELS if level >= least)
        log = event_pb2.Log(
            level=next(found, event_pb2.LOG_LEVEL_TRACE),
            text=fit(text),
            fields={name: fit(str(value)) for name, value in fields.items()},
        )
        with contextlib.suppress(Cancelled):
            self._send(_Event(log=log))

    def progress(
        self,
        done: int,
        total: int = 0,
        *,
        unit: str = "",
        phase: str = "",
        activity: str = "",
        sub: tuple[int, int] = (0, 0),
    ) -> None:
        """How far the call is: so many of so many; a total of 0 means that it is not known. Unit: what is counted,
        `files`, `bytes`. Phase: a word for what goes on, `reading index`. Activity: what is being worked on right now.
        Sub: a second level below the first. May be called as often as one likes: it is thinned out here.
        """
        progress = event_pb2.Progress(
            done=done,
            total=total,
            unit=unit,
            phase=phase,
            activity=activity,
            sub_done=sub[0],
            sub_total=sub[1],
        )
        with self._lock:
            due = self._batches.progress(progress)
        if due is not None:
            with contextlib.suppress(Cancelled):
                self._put(due)

    def warn(self, code: str, text: str, item: str = "") -> None:
        """Something that the user should know; nothing was lost. Code: stable, dotted. Item: what it is about."""
        self._send(_Event(warning=event_pb2.Warning(code=code, text=fit(text), item=fit(item))))

    def item(self, key: str, outcome: Outcome) -> None:
        """What became of an item."""
        self._item(event_pb2.Item(key=key, outcome=outcome.value))

    def failed(self, key: str, error: Exception) -> None:
        """An item failed; the run goes on, and ends as partial. Of an exception that is no `Error`, a fault is told.
        `Cancelled` is no failure of an item: it is raised again.
        """
        if isinstance(error, Cancelled):
            raise error
        wire = of_exception(error).to_wire()
        key = fit(key)
        wire.item, wire.scope = key, Scope.ITEM.value
        self._item(event_pb2.Item(key=key, outcome=event_pb2.OUTCOME_FAILED, error=wire))

    def _item(self, item: event_pb2.Item) -> None:
        self._add(_Event.ITEMS_FIELD_NUMBER, item.SerializeToString())

    def metadata(self, info: Mapping[str, object]) -> None:
        """Kept as the new version's `info`."""
        self._send(_Event(metadata=to_object("the version's metadata", info)))

    def output(self, name: str, media_type: str, staged: str) -> None:
        """A product that is not a unit, staged in the work folder."""
        output = event_pb2.Output(name=name, media_type=media_type, staged=staged)
        self._send(_Event(output=output))

    def link(self, label: str, url: str) -> None:
        """An address for the user to go on at."""
        self._send(_Event(link=event_pb2.WebLink(label=label, url=url)))

    def job(self, job: Job) -> None:
        """Another job that the plugin asks for."""
        self._send(_Event(job=job.wire))

    def checkpoint(self, data: bytes) -> None:
        """Where a retry of this job may go on from. Everything told before it arrives before it."""
        self.flush()
        self._send(_Event(checkpoint=event_pb2.Checkpoint(data=data)))
