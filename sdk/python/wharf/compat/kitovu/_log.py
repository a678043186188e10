"""What a plugin logs while it works for a job is told to the job's user: warnings count as warnings."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from wharf.context import Context
from wharf.errors import Cancelled

_LIBRARIES = ("wharf", "grpc", "urllib3", "asyncio", "py.warnings")


class _ToJob(logging.Handler):
    def __init__(self, context: Context) -> None:
        super().__init__(logging.INFO)
        self._context = context
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread or record.name.partition(".")[0] in _LIBRARIES:
            return
        text = record.getMessage()
        with contextlib.suppress(Cancelled):
            if record.levelno >= logging.WARNING:
                self._context.warn("source.plugin", text)
            else:
                self._context.log(record.levelno, text)


@contextmanager
def told(context: Context) -> Iterator[None]:
    """Tells what this thread logs in the block."""
    handler = _ToJob(context)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
