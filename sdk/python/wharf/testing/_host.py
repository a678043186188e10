"""A stand-in for service `Host`: downloads from a map or a folder, units, secrets and state from memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
from google.protobuf.message import Message

from wharf.host import Signed, SignForm
from wharf.model import Unit
from wharf.testing._service import Service, sha256
from wharf.v1 import model_pb2

Signer = Callable[[SignForm, bytes], Signed]


class FakeHost:
    """What upstream, the repository and the host hold, as the plugin will see it.

    A download is answered from `file` by its address, else from a folder given by `folder`, else read from a `file://`
    address. The ETag is the digest of the bytes. `requests` holds the addresses that were asked for so far, with
    ` (unchanged)` behind those answered by validators alone. `asked` holds what the plugin did to the host, each as the
    call's name and its request: jobs that it started, claims, contributions, events.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.asked: list[tuple[str, Message]] = []
        self._files: dict[str, bytes] = {}
        self._folders: list[tuple[str, Path]] = []
        self._units: list[model_pb2.Unit] = []
        self._secrets: dict[str, bytes] = {}
        self._settings: Mapping[str, object] = {}
        self._state: dict[tuple[int, str], tuple[int, bytes]] = {}
        self._signer: Signer | None = None
        self._missing: set[str] = set()
        self._lock = threading.Lock()

    def file(self, url: str, data: bytes) -> FakeHost:
        """What this address answers. The bytes are in the store, too."""
        self._files[url] = data
        return self

    def folder(self, base: str, folder: Path) -> FakeHost:
        """Addresses that begin with `base` are files of this folder."""
        self._folders.append((base, folder))
        return self

    def unit(self, unit: Unit) -> FakeHost:
        """A unit of the job's version; it gets the next number from 1 on, unless it has one."""
        wire = model_pb2.Unit()
        wire.CopyFrom(unit.wire)
        wire.id = wire.id or len(self._units) + 1
        self._units.append(wire)
        return self

    def secret(self, name: str, value: bytes) -> FakeHost:
        """A secret of the instance."""
        self._secrets[name] = value
        return self

    def settings(self, settings: Mapping[str, object]) -> FakeHost:
        """What `GetSettings` answers."""
        self._settings = settings
        return self

    def signer(self, signer: Signer) -> FakeHost:
        """How this host signs; without it, it does not."""
        self._signer = signer
        return self

    def without(self, *calls: str) -> FakeHost:
        """Calls that this host does not offer, such as `GetSecret`."""
        self._missing.update(calls)
        return self

    def artifact(self, digest: str) -> bytes | None:
        """Bytes of the store, `None` when they are not there."""
        with self._lock:
            known = {f"sha256:{sha256(data)}": data for data in self._files.values()}
        return known.get(digest)

    def handler(self, work_dir: Path) -> grpc.GenericRpcHandler:
        """The service itself. Downloads are staged in `work_dir`."""
        made = Service(self, work_dir).handlers()
        offered = {name: handler for name, handler in made.items() if name not in self._missing}
        return grpc.method_handlers_generic_handler("wharf.v1.Host", offered)

    def _read(self, url: str) -> bytes | None:
        if url in self._files:
            return self._files[url]
        folders = (
            folder / url[len(base) :] for base, folder in self._folders if url.startswith(base)
        )
        path = next(folders, Path(url[7:]) if url.startswith("file://") else None)
        return path.read_bytes() if path is not None and path.is_file() else None
