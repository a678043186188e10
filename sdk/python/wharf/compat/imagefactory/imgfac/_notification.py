"""The notification centre: who changes an image tells it, and observers are told in the same thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wharf.compat.imagefactory.imgfac._singleton import Singleton

ALL = "all"


@dataclass(frozen=True)
class Notification:
    """Something happened."""

    message: str
    """`image.status` or `image.percentage`."""
    sender: Any
    user_info: Mapping[str, Any] = field(default_factory=dict)
    """`old_status` and `new_status`, or `old_percentage` and `new_percentage`."""


@dataclass(frozen=True)
class _Observer:
    who: Any
    method: str
    message: str
    sender: Any

    def wants(self, notification: Notification) -> bool:
        said = self.message in (ALL, notification.message)
        return said and (self.sender is None or self.sender is notification.sender)


class NotificationCenter(Singleton):
    """One for the process."""

    def _begin(self) -> None:
        self._observers: list[_Observer] = []
        self._lock = threading.RLock()

    def add_observer(
        self, observer: Any, method: str, message: str = ALL, sender: Any = None
    ) -> None:
        """Has `observer.method(notification)` called, for one message or all, of one sender or all."""
        with self._lock:
            self._observers.append(_Observer(observer, method, message, sender))

    def remove_observer(
        self, observer: Any, method: str, message: str = ALL, sender: Any = None
    ) -> None:
        """Takes that back."""
        gone = (id(observer), method, message, id(sender))
        with self._lock:
            self._observers = [
                it
                for it in self._observers
                if (id(it.who), it.method, it.message, id(it.sender)) != gone
            ]

    def post_notification(self, notification: Notification) -> None:
        """Tells everybody who wants to know."""
        with self._lock:
            for observer in [it for it in self._observers if it.wants(notification)]:
                getattr(observer.who, observer.method)(notification)
