"""Bytes in the host's store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wharf._limits import MAX_BATCH
from wharf.host._dial import Way
from wharf.v1 import host_pb2

CHUNK = 512 << 10
"""The most bytes of one message."""


def has_artifacts(way: Way, digests: Sequence[str]) -> list[bool]:
    """Which of these the host has bytes for, in the order asked."""
    present: list[bool] = []
    for start in range(0, len(digests), MAX_BATCH):
        request = host_pb2.HasArtifactsRequest(digests=digests[start : start + MAX_BATCH])
        present += way.ask("HasArtifacts", request, host_pb2.HasArtifactsResponse).present
    return present


def open_artifact(way: Way, digest: str, offset: int) -> Iterator[bytes]:
    """The bytes from an offset on, piece by piece."""
    request = host_pb2.OpenArtifactRequest(digest=digest, offset=offset)
    for chunk in way.stream("OpenArtifact", request, host_pb2.ArtifactChunk):
        yield chunk.data


def put_artifact(way: Way, pieces: Iterable[bytes]) -> tuple[str, int]:
    """Writes bytes into the store; gives digest and size."""
    answer = way.send("PutArtifact", _chunks(pieces), host_pb2.PutArtifactResponse)
    return answer.digest, answer.size


def _chunks(pieces: Iterable[bytes]) -> Iterator[host_pb2.ArtifactChunk]:
    for piece in pieces:
        for start in range(0, len(piece), CHUNK):
            yield host_pb2.ArtifactChunk(data=piece[start : start + CHUNK])
