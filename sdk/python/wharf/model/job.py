"""Other jobs that a plugin asks for, and what it gives to later steps of a build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wharf.model._json import to_object
from wharf.v1 import model_pb2


class Job:
    """A job to be done."""

    __slots__ = ("wire",)

    def __init__(
        self,
        operation: str,
        arguments: Mapping[str, object] | str = "",
        *,
        name: str = "",
        queue: str = "",
        weight: int = 0,
        priority: int = 0,
        after: Sequence[int] = (),
        duplicate_key: str = "",
        space_bytes: int = 0,
    ) -> None:
        """Operation: sync, publish, unpublish, build, run. After: places in the same list of jobs that must succeed
        first. Duplicate key: of two jobs with the same one, one is enough.
        """
        self.wire = model_pb2.JobSpec(
            operation=operation,
            arguments=to_object("the job's arguments", arguments),
            name=name,
            queue=queue,
            weight=weight,
            priority=priority,
            after=after,
            duplicate_key=duplicate_key,
            space_bytes=space_bytes,
        )


@dataclass(frozen=True)
class Contribution:
    """Something given to a later step of another component in the same build."""

    kind: str
    """file, command, package, repository: put into the image. argument: for the builder of the target."""
    name: str
    """The path or the argument's name."""
    content: bytes = b""
    order: int = 0
    """Those of a step are taken in ascending order."""

    @classmethod
    def from_wire(cls, wire: model_pb2.Contribution) -> Contribution:
        """Reads a message."""
        return cls(wire.kind, wire.name, wire.content, wire.order)

    def to_wire(self) -> model_pb2.Contribution:
        """Writes a message."""
        return model_pb2.Contribution(
            kind=self.kind, name=self.name, content=self.content, order=self.order
        )
