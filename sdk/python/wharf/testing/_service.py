"""Service `Host` over what a fake host holds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from wharf._limits import MAX_BATCH, TOKEN_HEADER
from wharf.host import SignForm, encoded
from wharf.model._json import to_json
from wharf.testing._doings import Doings
from wharf.v1 import event_pb2, host_pb2, model_pb2

if TYPE_CHECKING:
    from wharf.testing._host import FakeHost

_CHUNK = 512 << 10


def sha256(data: bytes) -> str:
    """Hex digits."""
    return hashlib.sha256(data).hexdigest()


def _ask(message: Any, behaviour: Any) -> Any:
    return grpc.unary_unary_rpc_method_handler(behaviour, message.FromString, encoded)


def _stream(message: Any, behaviour: Any) -> Any:
    return grpc.unary_stream_rpc_method_handler(behaviour, message.FromString, encoded)


class Service:
    """The calls over a fake host. A call without a job's token is refused, as by a real one."""

    def __init__(self, host: FakeHost, work_dir: Path) -> None:
        self._host = host
        self._work_dir = work_dir
        self._staged = 0

    def handlers(self) -> dict[str, Any]:
        """By the names of the contract."""
        return {
            "QueryUnits": _stream(host_pb2.QueryUnitsRequest, self.query),
            "GetUnits": _ask(host_pb2.GetUnitsRequest, self.get_units),
            "HasArtifacts": _ask(host_pb2.HasArtifactsRequest, self.has),
            "OpenArtifact": _stream(host_pb2.OpenArtifactRequest, self.open),
            "PutArtifact": grpc.stream_unary_rpc_method_handler(
                self.put, host_pb2.ArtifactChunk.FromString, encoded
            ),
            "Download": _stream(host_pb2.DownloadRequest, self.download),
            "GetSecret": _ask(host_pb2.GetSecretRequest, self.secret),
            "GetState": _ask(host_pb2.GetStateRequest, self.get_state),
            "PutState": _ask(host_pb2.PutStateRequest, self.put_state),
            "GetSettings": _ask(host_pb2.GetSettingsRequest, self.settings),
            "Sign": _ask(host_pb2.SignRequest, self.sign),
            **Doings(self._host, self._authorise).handlers(),
        }

    def _authorise(self, rpc: grpc.ServicerContext) -> None:
        if not any(name == TOKEN_HEADER and value for name, value in rpc.invocation_metadata()):
            rpc.abort(grpc.StatusCode.UNAUTHENTICATED, "no token")

    def query(
        self, query: host_pb2.QueryUnitsRequest, rpc: grpc.ServicerContext
    ) -> Iterator[event_pb2.Units]:
        self._authorise(rpc)
        found = [
            (fields, unit)
            for unit in self._host._units
            if (not query.types or unit.type in query.types)
            and (fields := _fields(unit)) is not None
            and all(fields.get(it.name) == json.loads(it.value) for it in query.where)
        ]
        found.sort(key=lambda it: ([str(it[0].get(name, "")) for name in query.order_by], it[1].id))
        for start in range(0, len(found), MAX_BATCH):
            yield event_pb2.Units(units=[unit for _, unit in found[start : start + MAX_BATCH]])

    def get_units(
        self, request: host_pb2.GetUnitsRequest, rpc: grpc.ServicerContext
    ) -> event_pb2.Units:
        self._authorise(rpc)
        wanted = [(ref.id, ref.type, ref.key) for ref in request.units]
        units = (
            unit
            for unit in self._host._units
            if (unit.id, "", "") in wanted or (0, unit.type, unit.key) in wanted
        )
        return event_pb2.Units(units=units)

    def has(
        self, request: host_pb2.HasArtifactsRequest, rpc: grpc.ServicerContext
    ) -> host_pb2.HasArtifactsResponse:
        self._authorise(rpc)
        present = [self._host.artifact(digest) is not None for digest in request.digests]
        return host_pb2.HasArtifactsResponse(present=present)

    def open(
        self, request: host_pb2.OpenArtifactRequest, rpc: grpc.ServicerContext
    ) -> Iterator[host_pb2.ArtifactChunk]:
        self._authorise(rpc)
        data = self._host.artifact(request.digest)
        if data is None:
            rpc.abort(grpc.StatusCode.NOT_FOUND, f"no artifact {request.digest}")
        for start in range(request.offset, len(data), _CHUNK):
            yield host_pb2.ArtifactChunk(data=data[start : start + _CHUNK])

    def put(
        self, chunks: Iterator[host_pb2.ArtifactChunk], rpc: grpc.ServicerContext
    ) -> host_pb2.PutArtifactResponse:
        self._authorise(rpc)
        data = b"".join(chunk.data for chunk in chunks)
        digest = f"sha256:{sha256(data)}"
        with self._host._lock:
            self._host._files[digest] = data
        return host_pb2.PutArtifactResponse(digest=digest, size=len(data))

    def download(
        self, request: host_pb2.DownloadRequest, rpc: grpc.ServicerContext
    ) -> Iterator[host_pb2.Downloaded]:
        self._authorise(rpc)
        for index, item in enumerate(request.items):
            answer = self._downloaded(item)
            answer.index = index
            yield answer

    def _downloaded(self, item: host_pb2.Download) -> host_pb2.Downloaded:
        read = ((source.url, self._host._read(source.url)) for source in item.sources)
        url, data = next((it for it in read if it[1] is not None), (item.sources[0].url, None))
        if data is None:
            self._host.requests.append(url)
            error = model_pb2.Error(
                code="source.not_found", message=f"{url} answered 404 Not Found"
            )
            setattr(error, "class", model_pb2.ERROR_CLASS_OPERATION)
            return host_pb2.Downloaded(error=error)
        etag = f'"{sha256(data)}"'
        if item.if_none_match == etag:
            self._host.requests.append(f"{url} (unchanged)")
            return host_pb2.Downloaded(not_modified=True, etag=etag, final_url=url)
        self._host.requests.append(url)
        return host_pb2.Downloaded(
            staged=self._stage(data),
            size=len(data),
            digest=f"sha256:{sha256(data)}",
            etag=etag,
            final_url=url,
        )

    def _stage(self, data: bytes) -> str:
        with self._host._lock:
            self._staged += 1
            name = f"download-{self._staged}"
        (self._work_dir / name).write_bytes(data)
        return name

    def secret(
        self, request: host_pb2.GetSecretRequest, rpc: grpc.ServicerContext
    ) -> host_pb2.GetSecretResponse:
        self._authorise(rpc)
        value = self._host._secrets.get(request.name)
        if value is None:
            rpc.abort(grpc.StatusCode.NOT_FOUND, f"no secret {request.name!r}")
        return host_pb2.GetSecretResponse(value=value)

    def get_state(
        self, request: host_pb2.GetStateRequest, rpc: grpc.ServicerContext
    ) -> host_pb2.GetStateResponse:
        self._authorise(rpc)
        revision, value = self._host._state.get((request.scope, request.key), (0, b""))
        return host_pb2.GetStateResponse(revision=revision, value=value)

    def put_state(
        self, request: host_pb2.PutStateRequest, rpc: grpc.ServicerContext
    ) -> host_pb2.PutStateResponse:
        self._authorise(rpc)
        place = (request.scope, request.key)
        with self._host._lock:
            current, _ = self._host._state.get(place, (0, b""))
            if current == request.revision:
                self._host._state[place] = (current + 1, request.value)
        if current != request.revision:
            rpc.abort(grpc.StatusCode.ABORTED, f"the state has revision {current}")
        return host_pb2.PutStateResponse(revision=current + 1)

    def settings(
        self, _: host_pb2.GetSettingsRequest, rpc: grpc.ServicerContext
    ) -> host_pb2.GetSettingsResponse:
        self._authorise(rpc)
        text = to_json("the settings", dict(self._host._settings))
        return host_pb2.GetSettingsResponse(settings=text)

    def sign(
        self, request: host_pb2.SignRequest, rpc: grpc.ServicerContext
    ) -> host_pb2.SignResponse:
        self._authorise(rpc)
        signer = self._host._signer
        if signer is None:
            rpc.abort(grpc.StatusCode.PERMISSION_DENIED, "the attachment names no key")
        staged = request.HasField("staged")
        data = (self._work_dir / request.staged).read_bytes() if staged else request.inline
        signed = signer(SignForm(request.format), data)
        return host_pb2.SignResponse(
            signature=signed.data,
            fingerprint=signed.fingerprint,
            public_key=signed.public_key.encode(),
        )


def _fields(unit: model_pb2.Unit) -> dict[str, Any]:
    return {**json.loads(unit.attributes or "{}"), **json.loads(unit.key or "{}")}
