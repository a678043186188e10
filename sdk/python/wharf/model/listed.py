"""Items of a listing."""

from __future__ import annotations

from wharf.model.unit import Unit
from wharf.v1 import event_pb2


class ListedItem:
    """One item of `Importer.list`: a unit with exactly one file, and a revision that changes with its bytes.

    If its file says nothing about where the bytes are, the host asks `fetch`. An item with the revision that the unit
    at the same place has is not fetched again.
    """

    __slots__ = ("wire",)

    def __init__(self, unit: Unit, *, revision: str, modified_ms: int = 0) -> None:
        """`modified_ms`: when it was last changed, in milliseconds since 1970."""
        self.wire = event_pb2.ListedItem(unit=unit.wire, revision=revision, modified_ms=modified_ms)
