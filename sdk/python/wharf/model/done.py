"""The good end of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict

from wharf.model._json import to_json, to_object
from wharf.v1 import event_pb2

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Outcome(TypedDict, total=False):
    """What a good end may say besides."""

    announced: int
    """How many units or items upstream announced; the host compares it with what came."""
    summary: Mapping[str, object]
    """Shown to the user."""
    outputs: Mapping[str, object]
    """For rules and dependent jobs."""
    state: object
    """Kept with the attachment if the job succeeds, as JSON; comes back as `Attachment.state`."""
    state_bytes: bytes
    """As `state`, in the plugin's own encoding."""
    identifier: str
    """The provider's identifier of what was pushed. Only for `publish` with profile push."""


class Done:
    """The good end of a long call: what a method returns when it did its work."""

    __slots__ = ("wire",)

    def __init__(self, wire: event_pb2.Result) -> None:
        self.wire = wire

    @classmethod
    def changed(cls, **outcome: Unpack[Outcome]) -> Done:
        """Something was done. Whether a new version appears is decided by the host's comparison."""
        return cls(_filled(event_pb2.Result(changed=True), outcome))

    @classmethod
    def unchanged(cls, **outcome: Unpack[Outcome]) -> Done:
        """All went well and nothing was changed."""
        return cls(_filled(event_pb2.Result(), outcome))

    @classmethod
    def nothing_to_do(cls, **outcome: Unpack[Outcome]) -> Done:
        """Upstream says that nothing is new: the base version stands as it is. Only for `sync`."""
        return cls(_filled(event_pb2.Result(nothing_to_do=True), outcome))


def _filled(wire: event_pb2.Result, outcome: Outcome) -> event_pb2.Result:
    if "announced" in outcome:
        wire.announced = outcome["announced"]
    if "summary" in outcome:
        wire.summary = to_object("the summary", outcome["summary"])
    if "outputs" in outcome:
        wire.outputs = to_object("the outputs", outcome["outputs"])
    if "state" in outcome:
        wire.state = to_json("the state", outcome["state"]).encode()
    if "state_bytes" in outcome:
        wire.state = outcome["state_bytes"]
    wire.identifier = outcome.get("identifier", "")
    return wire
