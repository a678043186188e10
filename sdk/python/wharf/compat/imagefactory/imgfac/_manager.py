"""The images that a delegate may ask for: those of its build. Their records are in memory, their files in one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wharf.compat.imagefactory.imgfac._configuration import ApplicationConfiguration
from wharf.compat.imagefactory.imgfac._image import PersistentImage
from wharf.compat.imagefactory.imgfac._singleton import Singleton


class PersistentImageManager(Singleton):
    """One for the process."""

    def _begin(self) -> None:
        self._images: dict[str, PersistentImage] = {}

    @classmethod
    def default_manager(cls) -> PersistentImageManager:
        """The one that there is."""
        return cls()  # type: ignore[no-any-return] # a singleton's class

    def image_with_id(self, image_id: object) -> PersistentImage | None:
        """The image, or none."""
        return self._images.get(str(image_id))

    def images_from_query(self, query: Mapping[str, Any]) -> list[PersistentImage]:
        """Images of which all of this is equal."""
        return [
            image
            for image in self._images.values()
            if all(getattr(image, name, None) == value for name, value in query.items())
        ]

    def add_image(self, image: PersistentImage) -> None:
        """Takes an image in, and gives it a file unless it has one."""
        if image.data is None:
            folder = Path(ApplicationConfiguration().configuration["imgdir"])
            body = folder / f"{image.identifier}.body"
            body.touch()
            image.data = str(body)
        image.persistent_manager = self
        self._images[image.identifier] = image

    def save_image(self, image: PersistentImage) -> None:
        """Nothing is to be done: the record is the image."""

    def delete_image_with_id(self, image_id: object) -> None:
        """Forgets the image, and removes its file."""
        image = self._images.pop(str(image_id), None)
        if image is not None and image.data is not None:
            Path(image.data).unlink(missing_ok=True)
