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
        # Calls of one job share one count, which must not go down: what this file has goes to the second level.
        sub = (self._written, 0)
        self._context.progress(0, phase="fetching", activity=self._item, sub=sub)
        return written
