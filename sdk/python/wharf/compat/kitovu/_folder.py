"""The folder of a wharf plugin for a plugin of kitovu: `plugin.json`, the type of its files, and the script that starts
it with this very Python.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from wharf.compat.kitovu import _provide, _settings
from wharf.compat.kitovu._importer import KitovuImporter
from wharf.errors import UsageError
from wharf.serve import Plugin

GROUP = "kitovu.sync.plugin"


def found() -> list[EntryPoint]:
    """All plugins of kitovu that are installed beside this SDK, by name."""
    return sorted(entry_points(group=GROUP), key=lambda it: it.name)


def entry_point(name: str) -> EntryPoint:
    """The plugin of this name."""
    for entry in found():
        if entry.name == name:
            return entry
    known = ", ".join(it.name for it in found()) or "none"
    message = f"no installed package registers {name!r} in the group {GROUP}; there is: {known}"
    raise UsageError("not_found", message)


def load(entry: EntryPoint) -> Any:
    """The plugin's class."""
    try:
        return entry.load()
    except ImportError as cause:
        message = (
            f"the plugin {entry.name} cannot be loaded from {entry.value}; install what it needs"
        )
        raise UsageError("config.plugin", message) from cause


def wharf_name(name: str) -> str:
    """A name as wharf wants it: small letters, digits and dashes, a letter first."""
    made = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:60]
    return made if made[:1].isalpha() else f"kitovu-{made}".rstrip("-")


def type_id(name: str) -> str:
    """The type of the plugin's files."""
    return f"{wharf_name(name).replace('-', '_')}_file"


def version(text: str | None) -> str:
    """A package's version as Semantic Versioning has it, by its first three numbers."""
    numbers = [str(int(it)) for it in re.findall(r"\d+", (text or "0.1").partition("+")[0])[:3]]
    return ".".join([*numbers, "0", "0", "0"][:3])


def manifest(entry: EntryPoint) -> dict[str, Any]:
    """`plugin.json`."""
    _provide.provide()
    schema = load(entry)().connection_schema()
    component = {
        "id": "importer",
        "role": "importer",
        "profile": "files",
        "description": f"Files by the kitovu plugin {entry.name}.",
        "operations": ["list", "fetch"],
        "content_types": [type_id(entry.name)],
        "instance_schema": _settings.connection_schema(schema),
        "attachment_schema": _settings.attachment_schema(schema),
    }
    name = wharf_name(entry.name)
    return {
        "manifest_version": 1,
        "name": name,
        "version": version(entry.dist.version if entry.dist else None),
        "description": f"The kitovu plugin {entry.name}, {entry.value}.",
        "protocol": {"versions": [1]},
        "executable": {"any": f"bin/wharf-plugin-{name}"},
        "components": [component],
        "types": ["types/file.json"],
    }


def types(entry: EntryPoint) -> dict[str, Any]:
    """The definition of the type."""
    kind = {
        "id": type_id(entry.name),
        "display_name": "File",
        "description": f"A file that the kitovu plugin {entry.name} brought.",
        "unit_key": ["relative_path", {"name": "sha256", "from": "artifact"}],
        "repo_key": ["relative_path"],
        "search_indexes": ["relative_path"],
        "version": 1,
    }
    return {"types": [kind]}


def write(name: str, folder: Path) -> Path:
    """Makes the plugin's folder below `folder`, or makes it anew; gives its place."""
    entry = entry_point(name)
    documents = {"plugin.json": manifest(entry), "types/file.json": types(entry)}
    own_name = wharf_name(name)
    own = folder / own_name
    for sub in (own / "types", own / "bin"):
        sub.mkdir(parents=True, exist_ok=True)
    for path, document in documents.items():
        (own / path).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    script = own / f"bin/wharf-plugin-{own_name}"
    command = shlex.join([sys.executable, "-m", "wharf.compat.kitovu", name, "--serve"])
    script.write_text(f'#!/bin/sh\nexec {command} "$(dirname "$0")/.."\n', "utf-8")
    script.chmod(0o755)
    return own


def serve(name: str, folder: Path) -> int:
    """Runs the plugin of such a folder; gives the exit status."""
    utils = _provide.provide()
    importer = KitovuImporter(load(entry_point(name)), utils, type_id(name))
    text = (folder / "plugin.json").read_text("utf-8")
    definition = (folder / "types/file.json").read_text("utf-8")
    try:
        return Plugin(text).types(definition).importer("importer", importer).serve()
    finally:
        importer.close()
