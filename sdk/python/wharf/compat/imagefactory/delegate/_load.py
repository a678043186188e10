"""Imports the package of an `.info` under the name that it has in Image Factory, and finds its `delegate_class`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "imagefactory_plugins"


class PluginError(Exception):
    """The plugin cannot be used as it is; the text says why."""


def delegate_class(info: Path) -> Any:
    """The class that the package exports."""
    module = _load(info)
    try:
        return module.delegate_class
    except AttributeError:
        message = f"{module.__file__} has no delegate_class; the package of a plugin exports one"
        raise PluginError(message) from None


def _load(info: Path) -> ModuleType:
    name, folder = info.stem, info.parent
    _make_package(folder.parent)
    # Packages import their own modules by bare names, too.
    sys.path.append(str(folder))
    full = f"{PACKAGE}.{name}"
    for file in (folder / "__init__.py", folder / name / "__init__.py", folder / f"{name}.py"):
        if file.is_file():
            return _run(full, file)
    message = f"beside {info} lies neither __init__.py nor {name}.py: there is no package to import"
    raise PluginError(message)


def _run(full: str, file: Path) -> ModuleType:
    inside = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(full, file, submodule_search_locations=inside)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file} is no module of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        message = f"{file} cannot be imported: {error}; install what it needs beside wharf's SDK: {sys.executable} -m pip"
        raise PluginError(message) from error
    return module


def _make_package(folder: Path) -> None:
    """Packages that lie beside each other may import each other, and those that are installed."""
    places = [str(folder)]
    found = importlib.util.find_spec(PACKAGE)
    if found is not None:
        places += found.submodule_search_locations or []
    package = ModuleType(PACKAGE)
    package.__path__ = places
    sys.modules[PACKAGE] = package
