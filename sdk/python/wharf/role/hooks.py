"""Having a say before and after steps of other components' runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from wharf.errors import Error, NotOffered, from_wire
from wharf.model import Contribution, Instance, Unit
from wharf.model._json import from_object
from wharf.v1 import event_pb2, plugin_pb2

if TYPE_CHECKING:
    from wharf.context import HookContext

_OUTCOMES = {
    event_pb2.OUTCOME_ADDED: "added",
    event_pb2.OUTCOME_CHANGED: "changed",
    event_pb2.OUTCOME_UNCHANGED: "unchanged",
    event_pb2.OUTCOME_REMOVED: "removed",
    event_pb2.OUTCOME_SKIPPED: "skipped",
    event_pb2.OUTCOME_FAILED: "failed",
}


@dataclass
class Step:
    """A step that the manifest subscribes to."""

    name: str
    """build.base, build.target, publish, unpublish, sync or upload."""
    subject_text: str
    """JSON object, as text, that describes what the step is about."""
    outcome: str = ""
    """For `after`: added, changed, unchanged, removed, skipped, failed. Empty before the step, and when not known."""
    error: Error | None = None
    """For `after`: why the step failed."""
    instance: Instance = field(default_factory=Instance)
    """The component that subscribed, with its settings."""
    parameters_text: str = "{}"
    """What the request says to this component: JSON object, as text."""
    parent: Unit | None = None
    """What the step makes its object of: a base image, its files staged below `HookContext.work_dir`. What a hook changes
    there is what the step is handed."""
    unit: Unit | None = None
    """For `after`: what the step made, its files staged, if it made something."""

    @classmethod
    def from_wire(cls, wire: plugin_pb2.HookRequest) -> Step:
        """Reads a message."""
        error = from_wire(wire.error) if wire.HasField("error") else None
        name = wire.name.partition(":")[2]
        return cls(
            name,
            wire.subject,
            _OUTCOMES.get(wire.outcome, ""),
            error,
            instance=Instance.from_wire(wire.instance),
            parameters_text=wire.parameters,
            parent=Unit.from_wire(wire.parent) if wire.HasField("parent") else None,
            unit=Unit.from_wire(wire.unit) if wire.HasField("unit") else None,
        )

    @cached_property
    def subject(self) -> dict[str, Any]:
        """What the step is about."""
        return from_object("the step's subject", self.subject_text)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What the request says to this component."""
        return from_object("the parameters", self.parameters_text)


class Before:
    """The answer before a step: one of four decisions, and what later steps are given."""

    __slots__ = ("wire",)

    def __init__(self, wire: plugin_pb2.HookResponse) -> None:
        self.wire = wire

    @classmethod
    def proceed(cls) -> Before:
        """The step is made."""
        return cls(plugin_pb2.HookResponse(decision=plugin_pb2.HOOK_DECISION_PROCEED))

    @classmethod
    def skip(cls) -> Before:
        """The step counts as done, and nothing is made."""
        return cls(plugin_pb2.HookResponse(decision=plugin_pb2.HOOK_DECISION_SKIP))

    @classmethod
    def replace(cls, unit: Unit) -> Before:
        """The hook made the object itself: this unit, with staged files."""
        decision = plugin_pb2.HOOK_DECISION_REPLACE
        return cls(plugin_pb2.HookResponse(decision=decision, unit=unit.wire))

    @classmethod
    def refuse(cls, error: Error) -> Before:
        """The step must not be made. A `UsageError` or an `OperationError` that is raised says the same."""
        decision = plugin_pb2.HOOK_DECISION_REFUSE
        return cls(plugin_pb2.HookResponse(decision=decision, error=error.to_wire()))

    def contribution(self, contribution: Contribution) -> Before:
        """Gives something to the step."""
        self.wire.contributions.append(contribution.to_wire())
        return self


class After:
    """The answer after a step."""

    __slots__ = ("wire",)

    def __init__(self, wire: plugin_pb2.HookResponse) -> None:
        self.wire = wire

    @classmethod
    def unchanged(cls) -> After:
        """What was made stays as it is."""
        return cls(plugin_pb2.HookResponse(decision=plugin_pb2.HOOK_DECISION_PROCEED))

    @classmethod
    def changed(cls, unit: Unit) -> After:
        """What was made becomes this unit, with staged files. Attributes and files that it has none of stay."""
        decision = plugin_pb2.HOOK_DECISION_PROCEED
        return cls(plugin_pb2.HookResponse(decision=decision, unit=unit.wire))


class Hooks:
    """Answers for the hooks that the manifest's components subscribe to.

    A `UsageError` or an `OperationError` that a method raises is its answer: it refuses the step, or says that what comes
    after it failed. Any other exception is a fault.
    """

    def before(self, step: Step, context: HookContext) -> Before:
        """Decides on a step that is about to be made."""
        raise NotOffered(f"a hook before {step.name}")

    def after(self, step: Step, context: HookContext) -> After:
        """A step was made, or failed: the place to clean up. It may change what was made."""
        raise NotOffered(f"a hook after {step.name}")


def refused(error: Error, *, before: bool) -> plugin_pb2.HookResponse:
    """The answer that an expected error is."""
    answer = Before.refuse(error) if before else After.unchanged()
    answer.wire.error.CopyFrom(error.to_wire())
    return answer.wire
