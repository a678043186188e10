"""Logs for the operator: the language's ordinary `logging`, as JSON lines on standard error, in the form of hclog.

`serve` installs the handler on the root logger, so a plugin just logs. What is given as `extra` becomes fields; an
exception becomes the fields `error` and `traceback`. Survives a standard error that nobody reads any more. Logs for the
user of a job are the context's.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from datetime import datetime, timezone

MAX_LINE = 60 << 10
"""Bytes that a text in a line may have; the host cuts lines at 64 KiB."""
_LEVELS = (
    (logging.ERROR, "error"),
    (logging.WARNING, "warn"),
    (logging.INFO, "info"),
    (logging.DEBUG, "debug"),
)
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class HclogFormatter(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        found = (name for least, name in _LEVELS if record.levelno >= least)
        time = datetime.fromtimestamp(record.created, timezone.utc)
        line: dict[str, object] = {
            "@level": next(found, "trace"),
            "@message": _cut(record.getMessage()),
            "@timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "@module": record.name,
        }
        line.update((name, value) for name, value in vars(record).items() if name not in _OWN)
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["error"] = _cut(f"{type(error).__name__}: {error}", MAX_LINE // 4)
            line["traceback"] = _cut("".join(traceback.format_exception(error)), MAX_LINE // 2)
        return json.dumps(line, ensure_ascii=False, default=str)


def _cut(text: str, limit: int = MAX_LINE // 4) -> str:
    """The end of a text is where a trace says what happened."""
    return text if len(text) <= limit else f"... {text[-limit:]}"


class HclogHandler(logging.Handler):
    """Writes whole lines to a file descriptor, standard error unless another is named."""

    def __init__(self, descriptor: int = 2) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.setFormatter(HclogFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Writes one record."""
        try:
            line = self.format(record).encode("utf-8", "backslashreplace") + b"\n"
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            # Nobody reads any more, and there is nobody to tell.
            return
        except Exception:  # noqa: BLE001 - logging never breaks what logs
            self.handleError(record)


def install(level: int) -> None:
    """Sends everything that is logged, from a level on, to the host. Libraries are heard from warnings on."""
    root = logging.getLogger()
    root.handlers[:] = [HclogHandler()]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for library in ("grpc", "urllib3", "asyncio"):
        logging.getLogger(library).setLevel(max(level, logging.WARNING))
