"""The plugin's own small state."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from wharf._limits import MAX_STATE_BYTES
from wharf.errors import Fault
from wharf.host._dial import Way
from wharf.v1 import host_pb2


class StateScope(enum.Enum):
    """Whose state it is."""

    INSTANCE = host_pb2.STATE_SCOPE_INSTANCE
    ATTACHMENT = host_pb2.STATE_SCOPE_ATTACHMENT


@dataclass(frozen=True)
class State:
    """A piece of state."""

    revision: int
    """Changes with every write; 0 means that there is none yet."""
    value: bytes
    """At most 64 KiB."""


def get_state(way: Way, scope: StateScope, key: str) -> State | None:
    """What is kept, or `None`."""
    request = host_pb2.GetStateRequest(scope=scope.value, key=key)
    answer = way.ask("GetState", request, host_pb2.GetStateResponse)
    return State(answer.revision, answer.value) if answer.revision else None


def put_state(way: Way, scope: StateScope, key: str, state: State, *, durable: bool) -> int:
    """Replaces it; gives the new revision."""
    if len(state.value) > MAX_STATE_BYTES:
        message = f"a piece of state has {len(state.value)} bytes; it may have {MAX_STATE_BYTES}"
        raise Fault("limit.state", message)
    request = host_pb2.PutStateRequest(
        scope=scope.value, key=key, value=state.value, revision=state.revision, durable=durable
    )
    return way.ask("PutState", request, host_pb2.PutStateResponse).revision
