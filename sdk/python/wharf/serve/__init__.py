"""A plugin of wharf: a manifest, and what answers for each of its components.

The manifest is held against the program before anything else. Then the plugin lives under its host: handshake, TLS,
health, calls, the end. Nothing here opens the host's database or learns a path outside a job.
"""

from __future__ import annotations

import logging
import sys

from wharf.role import Action, Builder, Component, Distributor, Hooks, Importer, Migrations
from wharf.serve import _life, _manifest
from wharf.serve._calls import Calls
from wharf.serve._registry import Registry, role_name
from wharf.serve._services import services
from wharf.serve._start_error import StartError

__all__ = ["Calls", "Plugin", "Registry", "services"]

GRACE = 1.2
"""Seconds that a cancelled call gets to end by itself."""


class Plugin:
    """A plugin: its manifest, and what answers for each of the manifest's components.

    The manifest is the one truth about what the plugin is and offers: `Plugin.Describe` is derived from it, and a
    component without an answer, or an answer without a component, is told at start and in every test.
    """

    def __init__(self, manifest: str) -> None:
        """A plugin with this manifest: the text of `plugin.json`."""
        self._manifest = manifest
        self._components: dict[str, Component] = {}
        self._types: list[str] = []
        self._migrations: Migrations | None = None
        self._hooks: Hooks | None = None
        self._grace = GRACE
        self._log_level = logging.DEBUG

    def importer(self, id: str, importer: Importer) -> Plugin:  # noqa: A002
        """Answers for an importer component."""
        return self._component(id, importer)

    def distributor(self, id: str, distributor: Distributor) -> Plugin:  # noqa: A002
        """Answers for a distributor component."""
        return self._component(id, distributor)

    def builder(self, id: str, builder: Builder) -> Plugin:  # noqa: A002
        """Answers for a builder component."""
        return self._component(id, builder)

    def action(self, id: str, action: Action) -> Plugin:  # noqa: A002
        """Answers for an action component."""
        return self._component(id, action)

    def _component(self, id: str, component: Component) -> Plugin:  # noqa: A002
        self._components[id] = component
        return self

    def types(self, text: str) -> Plugin:
        """The text of a file of type definitions that the manifest names. Optional: with it, `Describe` names the types
        too, and the test harness holds units against them.
        """
        self._types.append(text)
        return self

    def migrations(self, migrations: Migrations) -> Plugin:
        """Runs the migrations that the manifest names."""
        self._migrations = migrations
        return self

    def hooks(self, hooks: Hooks) -> Plugin:
        """Answers for the hooks that components of the manifest subscribe to."""
        self._hooks = hooks
        return self

    def grace(self, seconds: float) -> Plugin:
        """What a cancelled call gets to end by itself before it is left behind; 1.2 seconds without this."""
        self._grace = seconds
        return self

    def log_level(self, level: int) -> Plugin:
        """The lowest level of `logging` that goes to the host; debug without this."""
        self._log_level = level
        return self

    def serve(self) -> int:
        """Serves until the host wants the plugin to stop. Give the result to `sys.exit`."""
        try:
            registry = self.check()
            manifest = registry.manifest
            return _life.live(registry, self._grace, self._log_level, _by_hand(manifest))
        except StartError as error:
            sys.stderr.write(f"{error}\n")
            return 1

    def debug(self) -> int:
        """Serves without a host, for a debugger: prints the description that `wharf plugin dev --reattach` takes, and
        listens without TLS in a private folder. Ctrl-C ends it.
        """
        try:
            return _life.debug(self.check(), self._grace, self._log_level)
        except StartError as error:
            sys.stderr.write(f"{error}\n")
            return 1

    def check(self) -> Registry:
        """Holds components and manifest against each other. `serve` and the test harness do it first."""
        manifest = _manifest.read(self._manifest)
        registered = {name: role_name(it) for name, it in self._components.items()}
        manifest.check(
            registered, migrations=self._migrations is not None, hooks=self._hooks is not None
        )
        types = [kind for text in self._types for kind in _manifest.read_types(text)]
        return Registry(manifest, types, self._components, self._migrations, self._hooks)

    @property
    def grace_seconds(self) -> float:
        """What `grace` said."""
        return self._grace


def _by_hand(manifest: _manifest.Manifest) -> str:
    return (
        f"This is {manifest.name} {manifest.version}, a plugin of wharf. It does nothing when run by hand.\n"
        "wharf starts it by itself when it is needed: put its folder where wharf looks for plugins.\n"
        "`wharf plugin list` shows those that wharf finds."
    )
