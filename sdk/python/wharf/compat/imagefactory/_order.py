"""What a delegate is told of a job: where it works, its template as TDL, its parameters, its images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from wharf.compat.imagefactory._tdl import tdl
from wharf.context import Context, HookContext
from wharf.errors import UsageError
from wharf.model import Unit

_DISKS = ("disk.qcow2", "disk.raw", "disk.img")
_NO_DISKS = ("template.json", "rootfs.tar.zst")


def order(
    do: str,
    context: Context | HookContext,
    target: str,
    images: dict[str, Any],
    *,
    template: bytes | str = b"",
    parameters: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The order of this name for one target."""
    return {
        "do": do,
        "key": f"{context.job_number} {target}",
        "folder": str(context.work_dir),
        "target": target,
        "template": tdl(json.loads(template)) if template else "",
        "parameters": parameters or {},
        "settings": settings or {},
        "images": images,
    }


def image(unit: Unit, folder: Path) -> dict[str, Any]:
    """An image whose files lie staged in the job's folder."""
    staged = {file.path: file.staged_path for file in unit.files if file.staged_path}
    path = disk(list(staged))
    if path is None:
        there = ", ".join(staged) or "nothing"
        message = f"image {unit.id} holds no disk that a plugin of Image Factory could work on, but {there}"
        raise UsageError("config.parent", message)
    return {"data": str(folder / str(staged[path])), **known(unit)}


def known(unit: Unit) -> dict[str, Any]:
    """What is known of an image besides its files."""
    attributes = unit.read_attributes()
    facts = {name: attributes.get(name) for name in ("icicle", "properties")}
    return {"unit": unit.id, **facts}


def disk(paths: list[str]) -> str | None:
    """The file that plugins know as the body of the image."""
    others = (path for path in paths if path not in _NO_DISKS)
    return next((path for path in _DISKS if path in paths), None) or next(others, None)
