"""Files that the plugin itself must read, downloaded by the host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from wharf._limits import MAX_BATCH
from wharf.errors import Error, Fault, from_wire
from wharf.host._dial import Way
from wharf.v1 import host_pb2


class Download:
    """One file to download."""

    __slots__ = ("wire",)

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        size: int | None = None,
        digests: Sequence[str] = (),
        max_bytes: int = 0,
        etag: str = "",
        last_modified: str = "",
    ) -> None:
        """From this address, with request headers.

        Size and digests (`ALGORITHM:HEX`): what the file must have. `max_bytes`: after which the host gives up; 0 is
        the host's own limit. `etag`, `last_modified`: the validators of an earlier download; unchanged files are not
        sent again.
        """
        self.wire = host_pb2.Download(
            size=size,
            digests=digests,
            max_bytes=max_bytes,
            if_none_match=etag,
            if_modified_since=last_modified,
        )
        self.or_from(url, headers)

    def or_from(self, url: str, headers: Mapping[str, str] | None = None) -> Download:
        """Another address to try when those before fail."""
        self.wire.sources.add(url=url, headers=headers or {})
        return self


@dataclass(frozen=True)
class Downloaded:
    """A finished download."""

    staged: str | None
    """The file, relative to `Context.work_dir`; `None` when nothing changed."""
    size: int
    """Bytes."""
    digest: str
    """`sha256:HEX`."""
    not_modified: bool
    """Nothing changed since the validators were given out."""
    etag: str
    """The validator to give back next time, as the server wrote it; may be empty."""
    last_modified: str
    """The date to give back next time, as the server wrote it; may be empty."""
    final_url: str
    """Where it came from in the end, after redirects."""
    media_type: str
    """What the server called it."""


def _read(wire: host_pb2.Downloaded) -> Downloaded | Error:
    if wire.HasField("error"):
        return from_wire(wire.error)
    return Downloaded(
        staged=None if wire.not_modified else wire.staged,
        size=wire.size,
        digest=wire.digest,
        not_modified=wire.not_modified,
        etag=wire.etag,
        last_modified=wire.last_modified,
        final_url=wire.final_url,
        media_type=wire.media_type,
    )


def download_all(
    way: Way, downloads: Iterable[Download]
) -> Iterator[tuple[int, Downloaded | Error]]:
    """Answers in the order in which they are done, each with its place in the list."""
    rest = iter(downloads)
    first = 0
    while batch := [*islice(rest, MAX_BATCH)]:
        request = host_pb2.DownloadRequest(items=[download.wire for download in batch])
        for wire in way.stream("Download", request, host_pb2.Downloaded):
            yield first + wire.index, _read(wire)
        first += len(batch)


def download(way: Way, wanted: Download) -> Downloaded:
    """One file; the failure of the download is raised."""
    for _, outcome in download_all(way, [wanted]):
        if isinstance(outcome, Error):
            raise outcome
        return outcome
    raise Fault("internal.host", "the host left a download unanswered")
