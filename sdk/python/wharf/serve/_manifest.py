"""The part of `plugin.json`, and of type definitions, that the plugin itself goes by. The host reads the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wharf.serve._start_error import StartError
from wharf.v1 import plugin_pb2


@dataclass(frozen=True)
class Type:
    """A type of units."""

    id: str
    key_fields: tuple[tuple[str, bool], ...]
    """The fields of the key, each with whether the host can fill it."""


@dataclass(frozen=True)
class Manifest:
    """What the plugin says of itself."""

    name: str
    version: str
    components: tuple[plugin_pb2.Component, ...]
    migrations: plugin_pb2.MigrationsResponse
    hooks: bool
    """Whether a component subscribes to any."""

    def check(self, registered: Mapping[str, str], *, migrations: bool, hooks: bool) -> None:
        """Every component has an answer of its role, and every answer a component; the same of migrations and hooks."""
        for component in self.components:
            found = registered.get(component.id, "nothing under that id")
            if found != component.role:
                raise StartError(
                    f"plugin.json names component {component.id!r} with role {component.role!r}, but the program "
                    f"registers {found}.\nMake the calls on Plugin agree with the manifest."
                )
        named = {component.id for component in self.components}
        for unnamed in registered.keys() - named:
            message = (
                f"the program registers component {unnamed!r}, which plugin.json does not name."
            )
            raise StartError(message)
        _agree("migrations", bool(self.migrations.migrations), migrations)
        _agree("hooks", self.hooks, hooks)

    def describe(self, types: Sequence[Type]) -> plugin_pb2.DescribeResponse:
        """The answer to `Describe`."""
        return plugin_pb2.DescribeResponse(
            name=self.name,
            version=self.version,
            components=self.components,
            types=[kind.id for kind in types],
        )

    def migration(self, number: int) -> str | None:
        """What the migration of this number is called."""
        found = (it.name for it in self.migrations.migrations if it.number == number)
        return next(found, None)


def read(text: str) -> Manifest:
    """Reads `plugin.json`."""
    try:
        document = json.loads(text)
        return Manifest(
            name=document["name"],
            version=document["version"],
            components=tuple(_component(it) for it in document.get("components", ())),
            migrations=_migrations(document),
            hooks=any(it.get("hooks") for it in document.get("components", ())),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as cause:
        raise StartError(f"plugin.json cannot be read: {cause!r}") from cause


def _agree(what: str, named: bool, registered: bool) -> None:  # noqa: FBT001 - two of a kind
    if named != registered:
        says, does = (what, "none") if named else (f"no {what}", "some")
        message = f"plugin.json names {says}, but the program registers {does}: Plugin.{what}."
        raise StartError(message)


def _component(document: Mapping[str, Any]) -> plugin_pb2.Component:
    types = [*document.get("content_types", ()), *document.get("produces", ())]
    return plugin_pb2.Component(
        id=document["id"],
        role=document["role"],
        profile=document.get("profile", ""),
        operations=document.get("operations", ()),
        types=dict.fromkeys(types),
    )


def _migrations(document: Mapping[str, Any]) -> plugin_pb2.MigrationsResponse:
    named = document.get("migrations", ())
    return plugin_pb2.MigrationsResponse(
        migrations=[plugin_pb2.Migration(number=it["number"], name=it["name"]) for it in named],
        fast_forward=document.get("fast_forward", False),
        removed_up_to=document.get("removed_up_to", 0),
        removed_hint=document.get("removed_hint", ""),
    )


def read_types(text: str) -> list[Type]:
    """Reads a document of type definitions."""
    try:
        return [Type(it["id"], _key_fields(it["unit_key"])) for it in json.loads(text)["types"]]
    except (ValueError, TypeError, KeyError, AttributeError) as cause:
        raise StartError(f"a file of type definitions cannot be read: {cause!r}") from cause


def _key_fields(document: Any) -> tuple[tuple[str, bool], ...]:
    fields = document if isinstance(document, list) else [document]
    return tuple(
        (field, False) if isinstance(field, str) else (field["name"], bool(field.get("from")))
        for field in fields
    )
