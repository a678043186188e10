"""One delegate at work for one job: the object of the plugin, and what it is handed: a builder with images."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from wharf.compat.imagefactory.imgfac import (
    ApplicationConfiguration,
    BaseImage,
    NotificationCenter,
    PersistentImage,
    PersistentImageManager,
    ProviderImage,
    TargetImage,
    Template,
)

_SPACE = uuid.UUID("5d3f5c4e-7b0d-4f57-9d0e-5d4f9f1f6d0a")
"""Images of the host have numbers, those of plugins UUIDs: one is made of the other, the same one each time."""


class Contents:
    """What cloud plugins know as the OS plugin of their build: it takes content that is to be run in the guest."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []

    def add_cloud_plugin_content(self, content: dict[str, Any]) -> None:
        """Takes commands and files."""
        self.commands += content.get("commands") or []
        self.files += content.get("files") or []


class Builder:
    """What every method of a delegate is handed first."""

    def __init__(self) -> None:
        self.base_image: BaseImage | None = None
        self.target_image: TargetImage | None = None
        self.provider_image: ProviderImage | None = None
        self.os_plugin: Any = Contents()
        self.cloud_plugin: Any = None
        self.app_config = ApplicationConfiguration().configuration


class Session:
    """The delegate of a job. Order: what the program said of the job, its template, its images."""

    def __init__(self, delegate_class: Any, order: dict[str, Any]) -> None:
        self.key: str = order["key"]
        ApplicationConfiguration().work_in(Path(order["folder"]), order["settings"])
        self.template = Template(order["template"] or None)
        self.parameters: dict[str, Any] = order["parameters"]
        self.target: str = order["target"]
        self.builder = Builder()
        self.take(order)
        self.delegate = delegate_class()

    def take(self, order: dict[str, Any]) -> None:
        """Takes the images as they are now: between a hook and its build others work on them."""
        images, builder = order["images"], self.builder
        base, target, provider = (images.get(kind) for kind in ("base", "target", "provider"))
        if base is not None:
            builder.base_image = self._image(builder.base_image or _named(BaseImage, base), base)
        if target is not None:
            image = builder.target_image or _named(TargetImage, target)
            image.target = self.target
            image.base_image_id = builder.base_image.identifier if builder.base_image else None
            if builder.base_image is not None:
                image.icicle = image.icicle or builder.base_image.icicle
            builder.target_image = self._image(image, target)
        if provider is not None:
            remote = builder.provider_image or _named(ProviderImage, provider)
            remote.provider = provider["provider"]
            remote.credentials = provider["credentials"]
            remote.identifier_on_provider = provider.get("identifier")
            remote.target_image_id = (
                builder.target_image.identifier if builder.target_image else None
            )
            builder.provider_image = self._image(remote, provider)

    def _image(self, image: Any, told: dict[str, Any]) -> Any:
        image.template = self.template
        image.parameters = self.parameters
        image.icicle = told.get("icicle") or image.icicle
        image.properties = told.get("properties") or image.properties
        if told.get("data"):
            image.data = told["data"]
        PersistentImageManager.default_manager().add_image(image)
        return image

    def optional(self, method: str) -> Any:
        """A method of the delegate; `None`: it has none of that name."""
        return getattr(self.delegate, method, None)


def observe(who: Any, method: str) -> None:
    """Has a method called for everything that images tell."""
    NotificationCenter().add_observer(who, method)


def made(image: PersistentImage) -> bool:
    """Whether the image has bytes."""
    if image.data is None:
        return False
    file = Path(image.data)
    return file.is_file() and file.stat().st_size > 0


def _named(kind: Any, told: dict[str, Any]) -> Any:
    unit = told.get("unit")
    return kind(str(uuid.uuid5(_SPACE, str(unit))) if unit else None)
