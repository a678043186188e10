"""Other jobs, what a job holds while it runs, and what it gives to others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import empty_pb2

from wharf.errors import Error, from_wire
from wharf.host._dial import Way
from wharf.model import Contribution, Job
from wharf.model._json import from_object, to_object
from wharf.v1 import event_pb2, host_pb2

_Empty = empty_pb2.Empty


@dataclass(frozen=True)
class JobEnd:
    """How a job ended."""

    state: str
    """succeeded, partial, failed, cancelled."""
    outputs: dict[str, Any] = field(default_factory=dict)
    """What it left for dependent jobs; empty if it ended badly."""
    error: Error | None = None
    """Why it failed."""


@dataclass(frozen=True)
class Claim:
    """Something that a job holds until it gives it back, or ends."""

    kind: str
    """lock, queue, space."""
    name: str
    amount: int = 0
    """Bytes of space, places in a queue."""
    wait: float = 0.0
    """Seconds to wait for it; 0: not at all."""


def spawn_job(way: Way, job: Job) -> int:
    """Starts it; gives its number."""
    request = host_pb2.SpawnJobRequest(job=job.wire)
    return way.ask("SpawnJob", request, host_pb2.SpawnJobResponse).job


def wait_job(way: Way, number: int) -> JobEnd:
    """Waits for its end."""
    request = host_pb2.WaitJobRequest(job=number)
    answer = way.ask("WaitJob", request, host_pb2.WaitJobResponse)
    outputs = from_object("the job's outputs", answer.result.outputs)
    return JobEnd(
        answer.state, outputs, from_wire(answer.error) if answer.HasField("error") else None
    )


def acquire(way: Way, claim: Claim) -> int:
    """Takes it; gives the number of the grant."""
    request = host_pb2.AcquireRequest(
        kind=claim.kind, name=claim.name, amount=claim.amount, wait_ms=round(claim.wait * 1_000)
    )
    return way.ask("Acquire", request, host_pb2.AcquireResponse).grant


def release(way: Way, grant: int) -> None:
    """Gives it back."""
    way.ask("Release", host_pb2.ReleaseRequest(grant=grant), _Empty)


def contribute(way: Way, to: str, contribution: Contribution) -> None:
    """Gives something to a later step of the component `PLUGIN.COMPONENT`."""
    request = host_pb2.ContributeRequest(to=to, contribution=contribution.to_wire())
    way.ask("Contribute", request, _Empty)


def emit(way: Way, name: str, payload: Mapping[str, object]) -> None:
    """An event that rules can see."""
    written = to_object("the event's payload", payload)
    way.ask("Emit", host_pb2.EmitRequest(name=name, payload=written), _Empty)


def watch_items(way: Way) -> Iterator[event_pb2.Item]:
    """Outcomes as they become known."""
    for answer in way.stream("WatchItems", _Empty(), event_pb2.Items):
        yield from answer.items
