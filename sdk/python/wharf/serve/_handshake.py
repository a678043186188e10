"""What host and plugin tell each other before the first call: variables of the environment, and one line.

Source: `proto/README.md`, sections 1 and 2.
"""

from __future__ import annotations

import grp
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wharf._limits import APP_PROTOCOL_VERSIONS, MAX_SOCKET_PATH
from wharf.serve._start_error import StartError


def app_version(offered: str) -> int:
    """The highest version that both sides speak, else our lowest: the host then refuses it and names both sides."""
    versions = {int(item) for item in offered.split(",") if item.strip().isdecimal()}
    shared = versions.intersection(APP_PROTOCOL_VERSIONS)
    return max(shared) if shared else min(APP_PROTOCOL_VERSIONS)


def line(version: int, socket: Path, certificate: str, *, multiplex: bool) -> str:
    """The handshake line. The seventh field is for hosts that ask about multiplexing, which is not offered."""
    fields = ["1", str(version), "unix", str(socket), "grpc", certificate]
    return "|".join([*fields, "false"] if multiplex else fields)


def description(socket: Path) -> str:
    """How a host attaches to a plugin that it did not start: the JSON object that hosts of go-plugin exchange."""
    address = {"Network": "unix", "String": str(socket)}
    version = max(APP_PROTOCOL_VERSIONS)
    form = {"Protocol": "grpc", "ProtocolVersion": version, "Pid": os.getpid(), "Test": True}
    return json.dumps({**form, "Addr": address})


@dataclass(frozen=True)
class Place:
    """Where the plugin's socket lies, and who may use it."""

    socket: Path
    group: int | None
    own: tempfile.TemporaryDirectory[str] | None
    """A folder that the plugin made and removes, when the host gave none."""

    def open_up(self) -> None:
        """Lets those use the socket who shall, once it is there."""
        if self.group is None:
            self.socket.chmod(0o600)
            return
        os.chown(self.socket, -1, self.group)
        self.socket.chmod(0o660)

    def remove(self) -> None:
        """Leaves nothing behind."""
        self.socket.unlink(missing_ok=True)
        if self.own is not None:
            self.own.cleanup()


def place(environment: Mapping[str, str]) -> Place:
    """Chooses the socket's place."""
    group = _group(environment.get("PLUGIN_UNIX_SOCKET_GROUP", ""))
    given = environment.get("PLUGIN_UNIX_SOCKET_DIR", "")
    own = None if given else tempfile.TemporaryDirectory(prefix="plugin-")
    folder = Path(own.name if own else given)
    if own is not None and group is not None:
        # Those of the group may pass through, and see nothing.
        os.chown(folder, -1, group)
        folder.chmod(0o710)
    socket = folder / f"plugin-{os.getpid()}.sock"
    length = len(os.fsencode(socket))
    if length > MAX_SOCKET_PATH:
        message = f"the socket's path has {length} bytes, and may have {MAX_SOCKET_PATH}: {socket}"
        raise StartError(message)
    if not folder.is_dir():
        raise StartError(f"there is no folder for the socket: {folder}")
    return Place(socket, group, own)


def _group(text: str) -> int | None:
    if not text:
        return None
    if text.isdecimal():
        return int(text)
    try:
        return grp.getgrnam(text).gr_gid
    except KeyError:
        raise StartError(f"there is no group {text!r} for the socket") from None
