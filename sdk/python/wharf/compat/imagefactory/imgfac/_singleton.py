"""Classes of which there is one object, however often they are called: as plugins know them."""

from __future__ import annotations

from typing import Any, ClassVar


class Singleton:
    """Called again, it gives the object that is there."""

    _object: ClassVar[Any] = None

    def __new__(cls, *arguments: Any, **more: Any) -> Any:
        """The one object; `_begin` is what `__init__` is elsewhere."""
        if cls.__dict__.get("_object") is None:
            cls._object = super().__new__(cls)
            cls._object._begin(*arguments, **more)
        return cls._object

    def _begin(self, *arguments: Any, **more: Any) -> None:
        """Sets up the one object."""
