"""Units of a repository's version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wharf.host._dial import Way
from wharf.model import Unit
from wharf.model._json import to_json
from wharf.v1 import event_pb2, host_pb2


class Query:
    """Which units, what of them, in which order.

    Without any argument: all units of the job's version, the one to publish or the base of a sync; in a migration, all
    units of the plugin's types.
    """

    __slots__ = ("wire",)

    def __init__(
        self,
        *kinds: str,
        where: Mapping[str, object] | None = None,
        fields: Sequence[str] = (),
        order_by: Sequence[str] = (),
        without_files: bool = False,
        version: int = 0,
        repository: str = "",
    ) -> None:
        """Kinds: only units of these types. Where: fields with the value that each must have. Fields: only these of key
        and attributes are sent. Order by: ascending by these fields, compared bytewise. Version, repository: others
        than the job's, if it was granted them.
        """
        conditions = [
            event_pb2.FieldEquals(name=name, value=to_json("the field's value", value))
            for name, value in (where or {}).items()
        ]
        self.wire = host_pb2.QueryUnitsRequest(
            repository=repository,
            version=version,
            types=kinds,
            where=conditions,
            fields=fields,
            order_by=order_by,
            without_files=without_files,
        )


def units(way: Way, query: Query) -> Iterator[Unit]:
    """The answer, fetched page by page while it is read."""
    for page in way.stream("QueryUnits", query.wire, event_pb2.Units):
        yield from map(Unit.from_wire, page.units)
