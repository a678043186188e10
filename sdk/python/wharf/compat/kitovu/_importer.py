"""An importer of the style list + fetch over a plugin of kitovu.

A listing asks the plugin for its files and the remote digest of each, which is the item's revision; a fetch has it
write the file into the job's folder, sets the time that it told, and holds its local digest against what was listed.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path, PurePath
from typing import Any

from wharf.compat.kitovu import _errors, _log, _password, _settings
from wharf.compat.kitovu._file import Watched
from wharf.compat.kitovu._session import Session, Sessions
from wharf.context import Context
from wharf.errors import Error, OperationError
from wharf.model import Done, File, ListedItem, Unit
from wharf.role import FetchRequest, Importer, ListRequest

BUFFER = 256 << 10
"""Bytes that a plugin's small writes are gathered to."""


class KitovuImporter(Importer):
    """Answers the host's calls with a plugin of kitovu."""

    def __init__(self, make: Callable[[], Any], utils: Any, kind: str) -> None:
        """Make: the plugin's class. Utils: the module with the errors that it raises. Kind: the type of units."""
        self._schema = make().connection_schema()
        self._sessions = Sessions(make, utils)
        self._utils = utils
        self._kind = kind

    def close(self) -> None:
        """Disconnects."""
        self._sessions.close()

    def list(self, request: ListRequest, context: Context) -> Done:
        """Says what the remote folder holds."""
        settings = _settings.read(self._schema, request.attachment.settings)
        with (
            self._working(context, settings),
            self._sessions.fresh(context, settings.info) as session,
        ):
            items = [*self._items(session, settings, context)]
            session.has_listed = True
        # Not before the session is free: a host that has enough of a listing fetches before it reads on.
        for item in items:
            context.listed(item)
        return Done.changed()

    def fetch(self, request: FetchRequest, context: Context) -> Done:
        """Fetches one file."""
        settings = _settings.read(self._schema, request.attachment.settings)
        path = PurePath(request.unit.read_attributes()["remote_path"])
        item = request.unit.files[0].path
        with (
            self._working(context, settings),
            self._sessions.ready(context, settings.info) as session,
        ):
            if not session.has_listed:
                # Another process listed, and some plugins know nothing of a file before.
                for _ in self._paths(session, settings):
                    context.progress(0, phase="listing")
                session.has_listed = True
            staged = self._retrieved(session, path, item, context)
            self._compare(session, staged, item, request.revision)
        context.staged(str(staged.relative_to(context.work_dir)))
        return Done.changed()

    @contextmanager
    def _working(self, context: Context, settings: _settings.Settings) -> Iterator[None]:
        with (
            _log.told(context),
            _password.asking(context, settings.secret_field, settings.secret),
        ):
            yield

    def _paths(self, session: Session, settings: _settings.Settings) -> Iterator[PurePath]:
        with _errors.translated(self._utils, "source.folder"):
            paths = iter(session.plugin.list_path(settings.remote_dir))
        while True:
            with _errors.translated(self._utils, "source.folder"):
                path = next(paths, None)
            if path is None:
                return
            yield PurePath(path)

    def _items(
        self, session: Session, settings: _settings.Settings, context: Context
    ) -> Iterator[ListedItem]:
        for count, path in enumerate(self._paths(session, settings), 1):
            context.progress(count, unit="files", phase="listing")
            item = self._item(session, path, settings, context)
            if item is not None:
                yield item

    def _item(
        self, session: Session, path: PurePath, settings: _settings.Settings, context: Context
    ) -> ListedItem | None:
        relative = _relative(path, settings.remote_dir)
        if relative is None:
            message = f"it does not lie below {settings.remote_dir}, or has a name that wharf does not take"
            context.failed(str(path), OperationError("content.path", message))
            return None
        try:
            with _errors.translated(self._utils, "source.digest", item=relative):
                revision = str(session.plugin.create_remote_digest(path))
        except OperationError as error:
            # Listed all the same, or it would leave the version; fetching it says what becomes of it.
            context.warn(error.code, error.whole_message(), relative)
            revision = f"unknown-{time.time_ns()}"
        key = {"relative_path": relative}
        unit = Unit(self._kind, key, {"remote_path": str(path)}, files=[File(relative)])
        return ListedItem(unit, revision=revision)

    def _retrieved(self, session: Session, path: PurePath, item: str, context: Context) -> Path:
        """The file in the job's folder. It keeps its name: some plugins look at it for the digest."""
        folder = Path(tempfile.mkdtemp(prefix="kitovu-", dir=context.work_dir))
        staged = folder / PurePath(item).name
        with (
            _errors.translated(self._utils, "source.file", item=item),
            BufferedRandom(Watched(staged, context, item), BUFFER) as file,
        ):
            modified = session.plugin.retrieve_file(path, file)
        if modified is not None:
            os.utime(staged, (modified, modified))
        return staged

    def _compare(self, session: Session, staged: Path, item: str, revision: str) -> None:
        if revision.startswith("unknown-"):
            return
        try:
            with _errors.translated(self._utils, "content.digest", item=item):
                found = str(session.plugin.create_local_digest(staged))
        except Error:
            staged.unlink()
            raise
        if found != revision:
            staged.unlink()
            message = f"it was listed as {revision} and fetched as {found}: it changed meanwhile, or was cut short; sync again"
            raise OperationError("content.changed", message, item=item, retryable=True)


def _relative(path: PurePath, folder: PurePath) -> str | None:
    """The path below the folder, if wharf takes such names. Source: `proto/README.md`, section 11."""
    try:
        parts = path.relative_to(folder).parts
    except ValueError:
        return None
    bad = any(part == ".." or "\\" in part or not part.isprintable() for part in parts)
    return None if bad or not parts else "/".join(parts)
