"""The plugin of an `.info`: the components that the host's manifest names, each with what answers for it."""

from __future__ import annotations

import json
from pathlib import Path

from wharf.compat.imagefactory._builder import CloudBuilder, OsBuilder
from wharf.compat.imagefactory._hooks import CloudHooks
from wharf.compat.imagefactory._kept import Kept
from wharf.compat.imagefactory._process import GRACE
from wharf.compat.imagefactory._push import Push
from wharf.serve import Plugin

_MARGIN = 2.0
"""Seconds that a call has after its delegate was given up."""


class Delegates:
    """The delegates of one plugin, and the processes that they live in."""

    def __init__(self, info: Path) -> None:
        self._kept = Kept(info)

    def plugin(self, manifest: str) -> Plugin:
        """The plugin with the manifest that the host derived of the `.info`."""
        components = json.loads(manifest)["components"]
        plugin = Plugin(manifest).grace(GRACE + _MARGIN)
        for component in components:
            match component["id"]:
                case "os":
                    plugin.builder("os", OsBuilder(self._kept))
                case "cloud":
                    plugin.builder("cloud", CloudBuilder(self._kept))
                case "push":
                    plugin.distributor("push", Push(self._kept, component.get("targets") or []))
        if any(component.get("hooks") for component in components):
            plugin.hooks(CloudHooks(self._kept))
        return plugin

    def close(self) -> None:
        """Ends all delegates."""
        self._kept.close()
