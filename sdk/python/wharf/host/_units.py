"""Units by name, and units that are saved with an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from wharf._limits import MAX_BATCH, MAX_BATCH_BYTES
from wharf.host._dial import Way
from wharf.model import Unit, UnitRef
from wharf.v1 import event_pb2, host_pb2

Sent = TypeVar("Sent", bound=Message)


@dataclass(frozen=True)
class SavedUnit:
    """What the host made of a unit that it was sent."""

    id: int
    """The host's number."""
    created: bool
    """It was not there before."""


def get_units(way: Way, units: Iterable[UnitRef]) -> list[Unit]:
    """These units, as far as the job may see them."""
    found: list[Unit] = []
    for batch in _batches(unit.wire for unit in units):
        answer = way.ask("GetUnits", host_pb2.GetUnitsRequest(units=batch), event_pb2.Units)
        found += map(Unit.from_wire, answer.units)
    return found


def save_units(way: Way, units: Iterable[Unit]) -> Iterator[SavedUnit]:
    """What the host made of each, in the order given. A batch is sent when the one before is answered."""
    for batch in _batches(unit.wire for unit in units):
        request = event_pb2.Units(units=batch)
        for answer in way.exchange("SaveUnits", request, host_pb2.SavedUnits):
            for saved in answer.units:
                yield SavedUnit(saved.id, saved.created)


def _batches(messages: Iterable[Sent]) -> Iterator[list[Sent]]:
    batch: list[Sent] = []
    size = 0
    for message in messages:
        more = message.ByteSize()
        if batch and (len(batch) == MAX_BATCH or size + more > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += more
    if batch:
        yield batch
