"""The interface that kitovu's sync plugins are written against: names, arguments and meanings; none of its code.

Everything here is public to plugins under the module names that `_provide` gives it.
"""

from __future__ import annotations

import abc
import pathlib
import re
import typing
from collections.abc import Iterable

JsonType = typing.Any
"""What JSON can hold."""


class Error(Exception):
    """What all errors of kitovu have in common."""


class UsageError(Error):
    """The user did something wrong; the run stops."""


class NoPluginError(UsageError):
    """There is no such plugin."""


class InvalidSettingsError(UsageError):
    """Settings do not fit their schema."""


class PluginOperationError(Error):
    """Something in a plugin failed; what it was working on is left out."""


class AuthenticationError(PluginOperationError):
    """The credentials are wrong."""


class AbstractSyncPlugin(abc.ABC):
    """What a sync plugin derives from. One object serves one run."""

    NAME: str | None = None

    @abc.abstractmethod
    def connection_schema(self) -> JsonType:
        """JSON Schema of the settings of a connection. Called before `configure`."""

    @abc.abstractmethod
    def configure(self, info: dict[str, typing.Any]) -> None:
        """Takes the settings."""

    @abc.abstractmethod
    def connect(self) -> None:
        """Connects, or fails."""

    @abc.abstractmethod
    def disconnect(self) -> None:
        """Lets go."""

    @abc.abstractmethod
    def list_path(self, path: pathlib.PurePath) -> Iterable[pathlib.PurePath]:
        """All files below a remote folder, at any depth, each with the folder's path in front."""

    @abc.abstractmethod
    def create_remote_digest(self, path: pathlib.PurePath) -> str:
        """A text that is another one when the remote file is."""

    @abc.abstractmethod
    def create_local_digest(self, path: pathlib.Path) -> str:
        """The same text for a local file of the same content."""

    @abc.abstractmethod
    def retrieve_file(self, path: pathlib.PurePath, fileobj: typing.IO[bytes]) -> int | None:
        """Writes a remote file's bytes; gives its time of change, seconds since 1970, if it is known."""


def sanitize_filename(name: pathlib.PurePath) -> pathlib.PurePath:
    """A path with `_` in the place of what some systems do not allow in names."""
    return pathlib.PurePath(*(re.sub(r'[:*?"<>|]', "_", part) for part in name.parts))
