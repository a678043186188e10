"""Settings of an attachment, taken apart: those of the connection, which the plugin knows, and those of the source.

As in kitovu a source is a remote folder and names to leave out; as in wharf a password is named, not written.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from wharf.compat.kitovu import _password
from wharf.errors import UsageError

REMOTE_DIR, IGNORE = "remote_dir", "ignore"
_HOSTS_OWN = {
    "policy",
    "mode",
    "on_file_error",
    "concurrency",
    "rate",
    "auto_publish",
    "allow_hosts",
}
_OF_SCHEMAS = {"$schema", "$id", "title", "description"}


@dataclass(frozen=True)
class Settings:
    """What one call works with."""

    info: dict[str, Any]
    """The connection's, for `configure`."""
    remote_dir: PurePath
    ignore: tuple[str, ...]
    secret_field: str
    """The setting that names the secret."""
    secret: str
    """What it holds; may be empty."""

    def ignores(self, path: PurePath) -> bool:
        """Whether a file's name is left out: the same name, or one that a pattern fits."""
        return any(path.name == it or fnmatch.fnmatchcase(path.name, it) for it in self.ignore)


def read(schema: Mapping[str, Any], given: Mapping[str, Any]) -> Settings:
    """Takes the settings of a call apart."""
    field = _password.setting(schema)
    info = {key: value for key, value in given.items() if key not in {REMOTE_DIR, IGNORE, field}}
    secret = given.get(field) or ""
    if isinstance(secret, Mapping):
        secret = secret.get("secret", "")
    return Settings(
        info, PurePath(given[REMOTE_DIR]), tuple(given.get(IGNORE, ())), field, str(secret)
    )


def connection_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The plugin's own schema, with the setting that names the secret: that of a wharf instance."""
    properties = dict(schema.get("properties", {}))
    taken = sorted(properties.keys() & (_HOSTS_OWN | {REMOTE_DIR, IGNORE}))
    if taken:
        message = f"the plugin has settings whose names are wharf's own: {', '.join(taken)}"
        raise UsageError("config.schema", message)
    properties[_password.setting(schema)] = {
        "type": ["string", "object"],
        "format": "secret",
        "description": "The name of a secret of the host, which the plugin gets in the place of a keyring's.",
    }
    rest = {key: value for key, value in schema.items() if key not in _OF_SCHEMAS}
    return {**rest, "type": "object", "properties": properties}


def attachment_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The connection's settings and those of a source: that of a wharf attachment."""
    whole = connection_schema(schema)
    whole["properties"] = {
        **whole["properties"],
        REMOTE_DIR: {"type": "string", "description": "The remote folder, with all below it."},
        IGNORE: {
            "type": "array",
            "items": {"type": "string"},
            "description": "Names of files that are left out, or patterns with *, ? and [...].",
        },
    }
    whole["required"] = [*schema.get("required", ()), REMOTE_DIR]
    return whole
