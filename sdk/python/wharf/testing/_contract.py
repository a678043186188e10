"""What a stream of events must look like, whatever the plugin does."""

from __future__ import annotations

import json
from typing import Any

from wharf._limits import MAX_BATCH, MAX_INLINE_BYTES, MAX_MESSAGE_BYTES
from wharf.serve import Registry
from wharf.v1 import event_pb2, model_pb2

_LISTS = {
    "units": "units",
    "listed": "items",
    "files": "files",
    "items": "items",
    "remove": "units",
    "resolved": "units",
    "aliases": "aliases",
    "variants": "variants",
    "keep": "keys",
}


_HOSTS_OWN = {"image_base", "image_target", "image_provider"}
"""Types of the host, of which it writes the keys itself."""


class ContractError(AssertionError):
    """The plugin, or the SDK, broke the contract."""


def require(kept: bool, breach: str) -> None:  # noqa: FBT001 - reads like an assertion
    """Raises when a rule is not kept."""
    if not kept:
        raise ContractError(f"contract: {breach}")


class Contract:
    """Watches one stream."""

    def __init__(self, registry: Registry) -> None:
        self._types = {kind.id: kind for kind in registry.types}
        self._ended = False

    def check(self, encoded: bytes) -> event_pb2.Event:
        """Reads an event, and holds it against the contract."""
        require(not self._ended, "an event after the closing one")
        require(len(encoded) <= MAX_MESSAGE_BYTES, f"a message of {len(encoded)} bytes")
        event = event_pb2.Event.FromString(encoded)
        kind = event.WhichOneof("event")
        require(kind is not None, "an event of no kind")
        if kind in _LISTS:
            entries = getattr(getattr(event, kind), _LISTS[kind])
            require(len(entries) <= MAX_BATCH, f"a message of {len(entries)} entries")
        for unit in event.units.units:
            self._unit(unit)
        for item in event.listed.items:
            files = len(item.unit.files)
            require(files == 1, f"a listed item has one file, this one {files}")
            self._unit(item.unit)
        self._ended = kind in {"result", "error"}
        return event

    def check_end(self) -> None:
        """The stream is over."""
        require(self._ended, "the stream ended without result or error")

    def _unit(self, unit: model_pb2.Unit) -> None:
        # A migration names units by number, and leaves empty what stays.
        stays = unit.id > 0 and not unit.key
        key = _object(unit.key)
        if unit.type in _HOSTS_OWN:
            require(
                not key, f"the host writes the key of an {unit.type}, not the plugin: {unit.key}"
            )
        else:
            require(stays or bool(key), f"the key of a unit is a JSON object, not {unit.key!r}")
        attributes = not unit.attributes or _object(unit.attributes) is not None
        require(attributes, f"attributes are a JSON object, not {unit.attributes!r}")
        for file in unit.files:
            _file(file)
        if not self._types or unit.type in _HOSTS_OWN:
            return
        kind = self._types.get(unit.type)
        require(kind is not None, f"no type {unit.type!r} is declared")
        for name, filled in kind.key_fields if kind else ():
            whole = stays or filled or (key is not None and name in key)
            require(whole, f"{unit.key} lacks {name!r}")


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _file(file: model_pb2.File) -> None:
    clean = all(part not in {"", ".", ".."} for part in file.path.split("/"))
    require(clean, f"{file.path!r} is not a clean relative path")
    ways = bool(file.sources) + file.HasField("staged") + file.HasField("inline")
    require(ways <= 1, f"{file.path!r} comes {ways} ways")
    inline = len(file.inline)
    require(inline <= MAX_INLINE_BYTES, f"{file.path!r} has {inline} bytes inline")
