"""Instances and attachments: what a call works for, and with which settings."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from wharf.model._json import from_object
from wharf.v1 import model_pb2


@dataclass
class Instance:
    """A component with settings."""

    component: str = ""
    """The component's id inside the plugin."""
    name: str = ""
    """The instance's name, `default` unless the user made named ones."""
    settings_text: str = ""
    """JSON object, as text: the plugin-wide settings under the instance's own."""
    secrets: list[str] = field(default_factory=list)
    """Names under which `Context.secret` hands out this instance's secrets."""

    @classmethod
    def from_wire(cls, wire: model_pb2.Instance) -> Instance:
        """Reads a message."""
        return cls(wire.component, wire.name, wire.settings, [*wire.secrets])

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The settings."""
        return from_object("the instance's settings", self.settings_text)


@dataclass
class Attachment:
    """An instance bound to a repository."""

    instance: Instance = field(default_factory=Instance)
    repository: str = ""
    """The repository's name."""
    settings_text: str = ""
    """JSON object, as text: the instance's settings under those of the attachment, as `check` normalised them."""
    state_bytes: bytes = b""
    """What `Done` kept with the last successful run; empty at first."""

    @classmethod
    def from_wire(cls, wire: model_pb2.Attachment) -> Attachment:
        """Reads a message."""
        instance = Instance.from_wire(wire.instance)
        return cls(instance, wire.repository, wire.settings, wire.state)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The effective settings."""
        return from_object("the attachment's settings", self.settings_text)

    @cached_property
    def state(self) -> Any:
        """The kept state, read as JSON; `None` at first, and when it is not JSON: state is a shortcut, and doing
        without is always right.
        """
        try:
            return json.loads(self.state_bytes) if self.state_bytes else None
        except (ValueError, RecursionError):
            return None
