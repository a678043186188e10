"""JSON as it travels: as text, compact, and never `NaN`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from wharf.errors import Fault, UsageError

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def to_json(what: str, value: object) -> str:
    """Writes a value; one that JSON does not have is a fault that says what it was for."""
    try:
        return _encode(value)
    except (TypeError, ValueError) as cause:
        raise Fault("internal.json", f"{what} cannot be written as JSON") from cause


def to_object(what: str, value: Mapping[str, object] | str) -> str:
    """Writes a JSON object; a text is one that is ready already."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return to_json(what, value)
    if not isinstance(value, Mapping):
        raise Fault("internal.json", f"{what} must be a JSON object, not {value!r}")
    return to_json(what, dict(value))


def from_object(what: str, text: str) -> dict[str, Any]:
    """Reads a JSON object; an empty text is an empty object."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as cause:
        raise UsageError("config", f"{what} cannot be read") from cause
    if not isinstance(value, dict):
        raise UsageError("config", f"{what} must be a JSON object")
    return value
