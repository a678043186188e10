"""The module names that kitovu's plugins import.

Where kitovu is not installed, modules of these names are made of `_interface`. Where it is, its own are used. In both,
`get_password` asks the host's secrets: there is no terminal to ask on, and no keyring of a user.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

from wharf.compat.kitovu import _interface, _password

_UTILS = (
    "AuthenticationError",
    "Error",
    "InvalidSettingsError",
    "JsonType",
    "NoPluginError",
    "PluginOperationError",
    "UsageError",
    "sanitize_filename",
)


def provide() -> Any:
    """Makes `kitovu`, `kitovu.utils`, `kitovu.sync` and `kitovu.sync.syncplugin` importable; gives `kitovu.utils`, whose
    error classes are those that plugins raise.
    """
    if "kitovu" not in sys.modules and importlib.util.find_spec("kitovu") is None:
        _make()
    utils = cast("Any", importlib.import_module("kitovu.utils"))
    utils.get_password = _password.get_password
    return utils


def _make() -> None:
    utils = _module("kitovu.utils", {name: getattr(_interface, name) for name in _UTILS})
    plugin = {"AbstractSyncPlugin": _interface.AbstractSyncPlugin}
    syncplugin = _module("kitovu.sync.syncplugin", plugin)
    sync = _module("kitovu.sync", {"syncplugin": syncplugin, "__path__": []})
    _module("kitovu", {"utils": utils, "sync": sync, "__path__": []})


def _module(name: str, content: Mapping[str, object]) -> ModuleType:
    module = ModuleType(
        name, f"{name}, as plugins of kitovu know it, provided by wharf.compat.kitovu."
    )
    vars(module).update(content)
    sys.modules[name] = module
    return module
