"""One connected plugin object, as kitovu has one for each run: configure, connect, list, fetch file by file, disconnect.

Its methods know nothing of threads, so whoever uses it has it alone. It stays connected from a listing to the fetches
behind it, because some plugins learn from listing what they need to fetch.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wharf.compat.kitovu import _errors
from wharf.context import Context
from wharf.errors import Fault

_log = logging.getLogger("wharf.compat.kitovu")
BEAT = 1.0
"""Seconds between two signs of life of a call that waits for its turn."""


class Session:
    """A plugin object that is connected with some settings."""

    def __init__(self, plugin: Any, key: str) -> None:
        self.plugin = plugin
        self.key = key
        self.has_listed = False

    def close(self) -> None:
        """Disconnects. What goes wrong there costs nothing any more."""
        try:
            self.plugin.disconnect()
        except Exception:  # noqa: BLE001 - whatever the plugin's code raises
            _log.warning("the plugin did not disconnect well", exc_info=True)


class Sessions:
    """The one session that there is at a time: a process works on one job."""

    def __init__(self, make: Callable[[], Any], utils: Any) -> None:
        """Make: the plugin's class. Utils: the module with the errors that it raises."""
        self._make = make
        self._utils = utils
        self._turn = threading.Lock()
        self._holder: Context | None = None
        self._session: Session | None = None

    @contextmanager
    def fresh(self, context: Context, info: dict[str, Any]) -> Iterator[Session]:
        """A new session, alone. It stays for those who come behind."""
        with self._alone(context):
            self._let_go()
            yield self._connect(info)

    @contextmanager
    def ready(self, context: Context, info: dict[str, Any]) -> Iterator[Session]:
        """The session that is connected with these settings, or a new one, alone."""
        with self._alone(context):
            session = self._session
            if session is None or session.key != _key(info):
                self._let_go()
                session = self._connect(info)
            yield session

    def close(self) -> None:
        """Lets go of what is connected."""
        if self._turn.acquire(timeout=BEAT):
            try:
                self._let_go()
            finally:
                self._turn.release()

    def _connect(self, info: dict[str, Any]) -> Session:
        plugin = self._make()
        with _errors.translated(self._utils, "source.unreachable"):
            plugin.configure(dict(info))
            plugin.connect()
        self._session = Session(plugin, _key(info))
        return self._session

    def _let_go(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    @contextmanager
    def _alone(self, context: Context) -> Iterator[None]:
        while not self._turn.acquire(timeout=BEAT):
            context.check_cancelled()
            context.progress(0, phase="waiting for another file")
            holder = self._holder
            if holder is not None and holder.is_cancelled:
                message = "an earlier call was cancelled, and the plugin's method does not return"
                raise Fault("internal.stuck", message)
        self._holder = context
        try:
            yield
        finally:
            self._holder = None
            self._turn.release()


def _key(info: dict[str, Any]) -> str:
    return json.dumps(info, sort_keys=True)
