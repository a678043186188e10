"""Making content from a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wharf.errors import NotOffered
from wharf.model import Contribution, Done, Instance, Unit
from wharf.model._json import from_object
from wharf.role._enum import WireEnum
from wharf.role.component import Component
from wharf.v1 import builder_pb2

if TYPE_CHECKING:
    from wharf.context import Context


class Stage(WireEnum):
    """Which stage of an image is made."""

    UNSPECIFIED = builder_pb2.STAGE_UNSPECIFIED
    BASE = builder_pb2.STAGE_BASE
    TARGET = builder_pb2.STAGE_TARGET
    SNAPSHOT = builder_pb2.STAGE_SNAPSHOT


@dataclass(frozen=True)
class Target:
    """What is built for. An empty field is "any"."""

    name: str = ""
    version: str = ""
    architecture: str = ""


@dataclass
class BuildRequest:
    """What `build` works with."""

    instance: Instance
    stage: Stage
    template_type: str
    """The recipe's media type."""
    template: bytes
    """The recipe."""
    target: Target
    """What is built for."""
    parent: Unit | None
    """The unit of the stage before, its files staged below `Context.work_dir`, the call's own to change."""
    parameters_text: str
    """JSON object, as text."""
    contributions: list[Contribution]
    """What hooks and earlier steps gave, in order."""
    provider: Instance | None
    """The provider that a snapshot is made on."""

    @classmethod
    def from_wire(cls, wire: builder_pb2.BuildRequest) -> BuildRequest:
        """Reads a message."""
        target = wire.target
        return cls(
            instance=Instance.from_wire(wire.instance),
            stage=Stage(wire.stage),
            template_type=wire.template.media_type,
            template=wire.template.content,
            target=Target(target.name, target.version, target.architecture),
            parent=Unit.from_wire(wire.parent) if wire.HasField("parent") else None,
            parameters_text=wire.parameters,
            contributions=[Contribution.from_wire(it) for it in wire.contributions],
            provider=Instance.from_wire(wire.provider) if wire.HasField("provider") else None,
        )

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The parameters."""
        return from_object("the parameters", self.parameters_text)


class Builder(Component):
    """Makes content from a recipe."""

    def build(self, request: BuildRequest, context: Context) -> Done:
        """Makes one unit of one stage: `Context.unit` with a staged file."""
        raise NotOffered("build")
