"""Content for the guest: as cloud plugins of Image Factory deposit it, and as contributions of wharf."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from wharf.model import Contribution

ASKED = "imagefactory.asked"
"""The name of an argument by which a build knows that its plugin was asked before the step."""


def contributions(content: dict[str, Any]) -> list[Contribution]:
    """What a plugin deposited."""
    given = [
        Contribution(kind, str(entry["name"]), _bytes(entry, kind))
        for kind, entries in (("file", content["files"]), ("command", content["commands"]))
        for entry in entries
    ]
    return [*given, Contribution("argument", ASKED)]


def content(given: Iterable[Contribution]) -> dict[str, list[dict[str, str]]]:
    """The same for the plugin that runs it."""
    found: dict[str, list[dict[str, str]]] = {"commands": [], "files": []}
    for one in given:
        if one.kind in {"command", "file"}:
            found[f"{one.kind}s"].append({"name": one.name, **_written(one.kind, one.content)})
    return found


def _bytes(entry: dict[str, Any], kind: str) -> bytes:
    text = str(entry.get(kind) or "")
    if entry.get("type") == "base64":
        return base64.b64decode(text)
    return text.encode()


def _written(kind: str, data: bytes) -> dict[str, str]:
    try:
        return {"type": "raw", kind: data.decode()}
    except UnicodeDecodeError:
        return {"type": "base64", kind: base64.b64encode(data).decode()}
