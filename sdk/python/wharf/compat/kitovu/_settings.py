"""Settings of an attachment, taken apart: those of the connection, which the plugin knows, and those of the source.

As in kitovu a source is a remote folder; names to leave out are the host's own setting. As in wharf a password is
named, not written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from wharf.compat.kitovu import _password
from wharf.errors import UsageError

REMOTE_DIR = "remote_dir"
_HOSTS_OWN = {
    "policy",
    "mode",
    "on_file_error",
    "concurrency",
    "rate",
    "auto_publish",
    "allow_hosts",
    "ignore",
}
_OF_SCHEMAS = {"$schema", "$id", "title", "description"}


@dataclass(frozen=True)
class Settings:
    """What one call works with."""

    info: dict[str, Any]
    """The connection's, for `configure`."""
    remote_dir: PurePath
    secret_field: str
    """The setting that names the secret."""
    secret: str
    """What it holds; may be empty."""


def read(schema: Mapping[str, Any], given: Mapping[str, Any]) -> Settings:
    """Takes the settings of a call apart."""
    field = _password.setting(schema)
    info = {key: value for key, value in given.items() if key not in {REMOTE_DIR, field}}
    secret = given.get(field) or ""
    if isinstance(secret, Mapping):
        secret = secret.get("secret", "")
    return Settings(info, PurePath(given[REMOTE_DIR]), field, str(secret))


def connection_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The plugin's own schema, with the setting that names the secret: that of a wharf instance."""
    properties = dict(schema.get("properties", {}))
    taken = sorted(properties.keys() & (_HOSTS_OWN | {REMOTE_DIR}))
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
    }
    # What a connection needs is the instance's to say; an attachment has both.
    whole["required"] = [REMOTE_DIR]
    return whole
