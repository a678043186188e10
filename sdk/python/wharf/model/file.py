"""One file of a unit: where it lies, what its bytes must be, and how the host comes by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wharf.v1 import model_pb2


class File:
    """One file of a unit.

    The bytes come from one place only: addresses (`url`, or several `urls`, tried in order), `staged` or `inline`; or
    from none of them, when the importer offers `fetch` or the host has the bytes already.
    """

    __slots__ = ("wire",)

    def __init__(
        self,
        path: str,
        *,
        size: int | None = None,
        sha256: str | None = None,
        digests: Sequence[str] = (),
        url: str | None = None,
        urls: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        staged: str | None = None,
        inline: bytes | None = None,
        eager: bool = False,
        media_type: str = "",
    ) -> None:
        """A file at a relative path inside its unit, which is also its place in a published tree by default.

        Size in bytes. sha256: 64 hex digits, lower case; `digests` are written `ALGORITHM:HEX`, the strongest one is
        checked. Headers are sent with requests to the addresses. `staged`: a file below `Context.work_dir`, named
        relative to it, which the host takes over. `inline`: at most 64 KiB. `eager`: fetched in this job even when the
        policy is on demand.
        """
        if sha256 is not None:
            digests = [f"sha256:{sha256}", *digests]
        if url is not None:
            urls = [url, *urls]
        self.wire = model_pb2.File(
            path=path,
            size=size,
            digests=digests,
            # An empty map costs as much as half of the rest.
            sources=[{"url": url, "headers": headers} if headers else {"url": url} for url in urls],
            staged=staged,
            inline=inline,
            eager=eager,
            media_type=media_type,
        )

    @classmethod
    def from_wire(cls, wire: model_pb2.File) -> File:
        """Covers a message."""
        file = cls.__new__(cls)
        file.wire = wire
        return file

    @property
    def path(self) -> str:
        """The relative path."""
        return self.wire.path

    @property
    def size(self) -> int | None:
        """The size in bytes, if it is known."""
        return self.wire.size if self.wire.HasField("size") else None

    def hex(self, algorithm: str) -> str | None:
        """The hex digits of a digest of this algorithm, if one is known."""
        start = f"{algorithm}:"
        found = (it for it in self.wire.digests if it.startswith(start))
        return next((it[len(start) :] for it in found), None)

    @property
    def urls(self) -> list[str]:
        """The addresses, in the order they are tried."""
        return [source.url for source in self.wire.sources]

    @property
    def staged_path(self) -> str | None:
        """Where it was staged, relative to the work folder; set for uploaded files."""
        return self.wire.staged if self.wire.HasField("staged") else None

    def __repr__(self) -> str:
        return f"File({self.path!r})"
