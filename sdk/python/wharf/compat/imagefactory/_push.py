"""A distributor over a cloud plugin's delegate: one image to one provider, and away from there again."""

from __future__ import annotations

from typing import Any

from wharf.compat.imagefactory._builder import provider
from wharf.compat.imagefactory._kept import Kept
from wharf.compat.imagefactory._order import disk, known, order
from wharf.context import Context
from wharf.errors import UsageError
from wharf.model import Done, Unit
from wharf.role import Distributor, PublishRequest, UnpublishRequest

_OWN = ("provider", "credentials")


class Push(Distributor):
    """`push_image_to_provider` and `delete_from_provider`."""

    def __init__(self, kept: Kept, targets: list[Any]) -> None:
        """Targets: what the plugin's `.info` names; the first one is meant where an image is not at hand."""
        self._kept = kept
        self._targets = targets

    def publish(self, request: PublishRequest, context: Context) -> Done:
        """Brings the image to the provider."""
        found = list(context.units())
        if len(found) != 1:
            raise UsageError(
                "config.image", f"one image is pushed at a time, and there are {len(found)}"
            )
        unit = found[0]
        settings = request.attachment.settings
        previous = None if request.previous is None else request.previous.identifier
        if previous and not request.full:
            # Delegates cannot look, and would send it once more.
            return Done.unchanged(identifier=previous)
        images = {
            "target": {"data": str(_brought(unit, context)), **known(unit)},
            "provider": {**provider(settings, context), "identifier": previous},
        }
        target = str(unit.read_key().get("target") or self._first())
        with self._kept.lent(context) as process:
            told = process.call(_order("push", context, target, images, settings), context)
        outputs = {"account": told["account"], **(told["properties"] or {})}
        return Done.changed(identifier=told["identifier"], outputs=outputs)

    def unpublish(self, request: UnpublishRequest, context: Context) -> Done:
        """Has the provider delete it."""
        settings = request.attachment.settings
        remote = {**provider(settings, context), "identifier": request.publication.identifier}
        wanted = _order(
            "delete", context, self._first(), {"target": {}, "provider": remote}, settings
        )
        with self._kept.lent(context) as process:
            process.call(wanted, context)
        return Done.changed()

    def _first(self) -> str:
        names = (it if isinstance(it, str) else next(iter(it), None) for it in self._targets)
        return next((name for name in names if name), "")


def _order(
    do: str, context: Context, target: str, images: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    told = {name: value for name, value in settings.items() if name not in _OWN}
    return order(do, context, target, images, parameters=told, settings=told)


def _brought(unit: Unit, context: Context) -> Any:
    """The image's file, written into the job's folder: delegates want a path."""
    path = disk([file.path for file in unit.files])
    file = next((it for it in unit.files if it.path == path), None)
    digest = None if file is None else file.hex("sha256")
    if digest is None:
        raise UsageError("config.image", f"image {unit.id} holds no file that could be pushed")
    place = context.work_dir / "image"
    total = file.size if file is not None and file.size is not None else 0
    done = 0
    with place.open("wb") as written:
        for piece in context.open_artifact(f"sha256:{digest}"):
            written.write(piece)
            done += len(piece)
            context.progress(0, phase="reading the image", sub=(done, total))
    return place
