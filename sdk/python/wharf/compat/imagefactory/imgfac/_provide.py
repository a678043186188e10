"""The module names that plugins import: `imgfac.BaseImage` and its like, one class a module, and a `zope.interface` where
that is not installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

from wharf.compat.imagefactory.imgfac import (
    _configuration,
    _errors,
    _image,
    _manager,
    _notification,
    _reservation,
    _singleton,
    _template,
)

T = TypeVar("T")
_CLASSES = (
    _configuration.ApplicationConfiguration,
    _errors.ImageFactoryException,
    _image.BaseImage,
    _image.PersistentImage,
    _image.ProviderImage,
    _image.TargetImage,
    _manager.PersistentImageManager,
    _notification.Notification,
    _notification.NotificationCenter,
    _reservation.ReservationManager,
    _singleton.Singleton,
    _template.Template,
)
_INTERFACES = ("OSDelegate", "CloudDelegate")


def provide() -> None:
    """Makes everything importable. Image Factory's own code, where it is installed, is not used: it would want a daemon."""
    interface = _interface()
    classes: dict[str, Any] = {it.__name__: it for it in _CLASSES}
    for name in _INTERFACES:
        text = f"What {name}s have, any part of it; see the documentation of Image Factory."
        classes[name] = type(interface)(name, (interface,), {"__doc__": text})
    package = _module("imgfac", {"__path__": []})
    for name, content in classes.items():
        setattr(package, name, _module(f"imgfac.{name}", {name: content}))


def _interface() -> Any:
    if importlib.util.find_spec("zope") is not None:
        try:
            return importlib.import_module("zope.interface").Interface
        except ImportError:
            pass
    _stand_in()
    return Interface


class Interface:
    """What classes may say that they implement. Nothing is checked."""


def implements(*interfaces: type) -> None:
    """Says so in a class's body."""


def implementer(*interfaces: type) -> Callable[[T], T]:
    """Says so above a class."""
    del interfaces
    return lambda decorated: decorated


def _stand_in() -> None:
    content = {"Interface": Interface, "implements": implements, "implementer": implementer}
    module = _module("zope.interface", content)
    zope = sys.modules.get("zope") or _module("zope", {"__path__": []})
    zope.interface = module  # type: ignore[attr-defined] # as an import does


def _module(name: str, content: dict[str, Any]) -> ModuleType:
    text = f"{name}, as plugins of Image Factory know it, provided by wharf."
    module = ModuleType(name, text)
    vars(module).update(content)
    sys.modules[name] = module
    return module
