"""Who answers for which component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import grpc

from wharf.role import (
    Action,
    Builder,
    Component,
    Distributor,
    Hooks,
    Importer,
    Migration,
    Migrations,
)
from wharf.serve._manifest import Manifest, Type

ROLES: Mapping[str, type[Component]] = {
    "importer": Importer,
    "distributor": Distributor,
    "builder": Builder,
    "action": Action,
}
Role = TypeVar("Role", bound=Component)


@dataclass(frozen=True)
class Registry:
    """The manifest and the answers for its components."""

    manifest: Manifest
    types: Sequence[Type]
    components: Mapping[str, Component]
    migrations: Migrations | None
    hooks: Hooks | None = None

    def component(self, id: str, role: type[Role], rpc: grpc.ServicerContext) -> Role:  # noqa: A002
        """What answers for this component in this role; refuses the call when there is none."""
        component = self.components.get(id)
        if component is None:
            message = f"plugin {self.manifest.name} has no component {id!r}"
            rpc.abort(grpc.StatusCode.NOT_FOUND, message)
        if not isinstance(component, role):
            message = f"component {id!r} is no {role.__name__.lower()}"
            rpc.abort(grpc.StatusCode.UNIMPLEMENTED, message)
        return component

    def migration(
        self,
        number: int,
        dry_run: bool,  # noqa: FBT001 - as the message has it
        rpc: grpc.ServicerContext,
    ) -> tuple[Migration, Migrations]:
        """A migration, and who runs it."""
        name = self.manifest.migration(number)
        if name is None or self.migrations is None:
            message = f"plugin {self.manifest.name} has no migration {number}"
            rpc.abort(grpc.StatusCode.NOT_FOUND, message)
        return Migration(number, name, dry_run), self.migrations


def role_name(component: Component) -> str:
    """The manifest's word for the role of an answer."""
    found = (name for name, role in ROLES.items() if isinstance(component, role))
    return next(found, type(component).__name__)
