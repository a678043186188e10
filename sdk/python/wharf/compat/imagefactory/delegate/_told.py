"""What happens in a delegate, on its way to the job: log lines, statuses, percentages, wishes for reservations."""

from __future__ import annotations

import logging

from wharf.compat.imagefactory.delegate._channel import Channel
from wharf.compat.imagefactory.imgfac import Notification

_QUIET = ("grpc", "asyncio")


class Logs(logging.Handler):
    """What the plugin logs."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(logging.INFO)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Tells a line."""
        if record.name.partition(".")[0] not in _QUIET:
            text = record.getMessage()
            if record.exc_info:
                text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
            self._channel.tell("log", level=record.levelno, text=text)


class Progress:
    """An observer of images."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def changed(self, notification: Notification) -> None:
        """Tells how far an image is, and what is being done."""
        image = notification.sender
        activity = image.status_detail.get("activity") or image.status.lower()
        self._channel.tell("progress", percent=image.percent_complete, activity=str(activity))


class HostsWay:
    """Reservations by the host."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def acquire(self, kind: str, name: str, amount: int, *, wait: bool) -> int | None:
        """A grant; `None`: it is not to be had. Raises `LookupError` when the host offers no grants."""
        answer = self._channel.ask("acquire", kind=kind, name=name, amount=amount, wait=wait)
        if not answer["offered"]:
            raise LookupError(kind)
        grant: int | None = answer["grant"]
        return grant

    def release(self, grant: int) -> None:
        """Gives a grant back."""
        self._channel.ask("release", grant=grant)
