"""The image that a delegate made, as the one unit that a build tells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from wharf.compat.imagefactory._format import Format, format_of, virtual_size
from wharf.errors import Fault
from wharf.model import File, Unit

_MAX_ICICLE = 256 << 10


def unit(kind: str, name: str, told: dict[str, Any], folder: Path) -> Unit:
    """Kind: the unit's type. Name: of its file, without what tells the format. Told: what the delegate's process said."""
    file = _inside(Path(told["data"]), folder)
    found = format_of(file)
    staged = str(file.relative_to(folder))
    one = File(
        f"{name}.{found.extension}",
        size=file.stat().st_size,
        staged=staged,
        media_type=found.media_type,
    )
    return Unit(kind, {}, _attributes(told, file, found), files=[one])


def safe(name: str) -> str:
    """A template's name as a file's."""
    return re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip("-.")[:100] or "image"


def _inside(data: Path, folder: Path) -> Path:
    """The file itself: the host takes over files, no links, and only of the job's own folder."""
    file, root = data.resolve(), folder.resolve()
    if not file.is_relative_to(root):
        message = f"the plugin left its image in {file}, outside of the job's folder {root}"
        raise Fault("internal.plugin", message)
    return folder / file.relative_to(root)


def _attributes(told: dict[str, Any], file: Path, found: Format) -> dict[str, object]:
    attributes: dict[str, object] = {"format": found.name}
    size = virtual_size(file, found)
    if size is not None:
        attributes["virtual_size"] = size
    icicle = told.get("icicle")
    if icicle and len(icicle.encode()) <= _MAX_ICICLE:
        attributes["icicle"] = icicle
    if told.get("properties"):
        attributes["properties"] = told["properties"]
    return attributes
