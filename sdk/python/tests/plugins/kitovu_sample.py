"""A sync plugin as one writes it for kitovu, which knows nothing else: the files below a folder are its server."""

import logging
import pathlib
import shutil
import typing

from kitovu import utils
from kitovu.sync import syncplugin

logger = logging.getLogger(__name__)


class SamplePlugin(syncplugin.AbstractSyncPlugin):
    NAME: str = "sample"

    def __init__(self) -> None:
        self._root = pathlib.Path()
        self._seen: typing.Dict[pathlib.PurePath, str] = {}
        self._connected = False

    def connection_schema(self) -> utils.JsonType:
        return {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "type": "object",
            "properties": {
                "root": {"type": "string"},
                "login": {"type": "string"},
                "trouble": {"type": "string"},
            },
            "required": ["root"],
            "additionalProperties": False,
        }

    def configure(self, info: typing.Dict[str, typing.Any]) -> None:
        self._root = pathlib.Path(info["root"])
        self._trouble = info.get("trouble")
        if self._trouble == "usage":
            raise utils.UsageError("the root is none")
        if "login" in info:
            password = utils.get_password("sample", info["login"], "for " + info["login"])
            if password != "open sesame":
                raise utils.AuthenticationError("wrong password for " + info["login"])

    def connect(self) -> None:
        if not self._root.is_dir():
            raise utils.PluginOperationError("could not find server {}".format(self._root))
        self._connected = True

    def disconnect(self) -> None:
        assert self._connected
        self._connected = False
        (self._root.parent / "disconnected").touch()

    def _digest(self, path: pathlib.Path) -> str:
        stat = path.stat()
        # Pages have no size that counts; the name tells, as it does in kitovu's own plugin for courses.
        size = 0 if path.suffix == ".html" else stat.st_size
        return "{}-{}".format(size, int(stat.st_mtime))

    def _local(self, path: pathlib.PurePath) -> pathlib.Path:
        return self._root / path.relative_to("/")

    def create_local_digest(self, path: pathlib.Path) -> str:
        return self._digest(path)

    def create_remote_digest(self, path: pathlib.PurePath) -> str:
        if self._trouble == "digest" and path.name == "a.txt":
            raise utils.PluginOperationError("no attributes of " + path.name)
        return self._seen[path]

    def list_path(self, path: pathlib.PurePath) -> typing.Iterable[pathlib.PurePath]:
        if not self._local(path).is_dir():
            raise utils.PluginOperationError("no folder {}".format(path))
        if self._trouble == "bug":
            raise KeyError("course")
        for found in sorted(self._local(path).rglob("*")):
            if found.is_file():
                remote = pathlib.PurePosixPath("/") / found.relative_to(self._root)
                self._seen[remote] = self._digest(found)
                yield remote

    def retrieve_file(
        self, path: pathlib.PurePath, fileobj: typing.IO[bytes]
    ) -> typing.Optional[int]:
        # What was not listed by this object is not known.
        assert path in self._seen
        local = self._local(path)
        if not local.exists():
            raise utils.PluginOperationError("{} vanished".format(path.name))
        if self._trouble == "warning":
            logger.warning("%s is odd", path.name)
        with local.open("rb") as remote:
            shutil.copyfileobj(remote, fileobj)
        if self._trouble == "short":
            fileobj.seek(1)
            fileobj.truncate()
        return int(local.stat().st_mtime)
