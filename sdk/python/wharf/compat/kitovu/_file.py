"""The file that a plugin writes into: a real one, each write of which is a sign of life, and the end after a cancel."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from wharf.context import Context

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Watched(io.FileIO):
    """Bytes on their way."""

    def __init__(self, path: Path, context: Context, item: str) -> None:
        super().__init__(path, "w+")
        self._context = context
        self._item = item
        self._written = 0

    def write(self, data: Buffer, /) -> int:
        """Writes, counts and tells."""
        self._context.check_cancelled()
        written = super().write(data)
        self._written += written
        self._context.progress(self._written, unit="bytes", phase="fetching", activity=self._item)
        return written
