"""Builders over delegates: an os plugin's, for base images and its part of targets, and a cloud plugin's."""

from __future__ import annotations

import json
from typing import Any

from wharf.compat.imagefactory import _unit
from wharf.compat.imagefactory._content import ASKED, content
from wharf.compat.imagefactory._kept import Kept
from wharf.compat.imagefactory._order import image, order
from wharf.context import Context
from wharf.errors import OperationError, UsageError
from wharf.model import Done, Unit
from wharf.role import Builder, BuildRequest, Stage

BASE, TARGET, PROVIDER = "image_base", "image_target", "image_provider"


class OsBuilder(Builder):
    """`create_base_image` and `create_target_image`."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def build(self, request: BuildRequest, context: Context) -> Done:
        """Makes a base image, or what a target's content makes of one."""
        if request.stage is Stage.BASE:
            told = self._told("base", request, context, {"base": {}})
            name = "disk"
            return _done(_unit.unit(BASE, name, told, context.work_dir), context)
        if request.stage is not Stage.TARGET:
            raise _no_such_stage(request)
        images = {"base": image(_parent(request), context.work_dir), "target": {}}
        told = self._told("os_target", request, context, images)
        return _done(_unit.unit(TARGET, "disk", told, context.work_dir), context)

    def _told(
        self, do: str, request: BuildRequest, context: Context, images: dict[str, Any]
    ) -> dict[str, Any]:
        asked = _order(do, request, context, images)
        with self._kept.lent(context) as process:
            return process.call({**asked, "content": content(request.contributions)}, context)


class CloudBuilder(Builder):
    """The three methods around a target's image, and snapshots."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def build(self, request: BuildRequest, context: Context) -> Done:
        """Makes the image of a target, or one at a provider."""
        if request.stage is Stage.SNAPSHOT:
            return self._snapshot(request, context)
        if request.stage is not Stage.TARGET:
            raise _no_such_stage(request)
        images = {"base": image(_parent(request), context.work_dir), "target": {}}
        asked = any(it.kind == "argument" and it.name == ASKED for it in request.contributions)
        wanted = {**_order("cloud_target", request, context, images), "asked": asked}
        with self._kept.lent(context) as process:
            told = process.call(wanted, context)
        if "data" not in told:
            message = f"the plugin decided that no image is to be made for {request.target.name}"
            raise OperationError("policy.imagefactory", message)
        name = _unit.safe(json.loads(request.template)["name"])
        return _done(_unit.unit(TARGET, name, told, context.work_dir), context)

    def _snapshot(self, request: BuildRequest, context: Context) -> Done:
        settings = {} if request.provider is None else request.provider.settings
        remote = {"provider": provider(settings, context)}
        wanted = _order("snapshot", request, context, remote)
        with self._kept.lent(context) as process:
            told = process.call(wanted, context)
        attributes = {"identifier": told["identifier"], "account": told["account"]}
        return _done(Unit(PROVIDER, {}, attributes), context)


def provider(settings: dict[str, Any], context: Context) -> dict[str, Any]:
    """What the user said of a provider; the credentials are a secret of the host."""
    name = settings.get("credentials") or ""
    secret = context.secret(name["secret"] if isinstance(name, dict) else name) if name else b""
    return {"provider": settings.get("provider") or "", "credentials": secret.decode()}


def _order(
    do: str, request: BuildRequest, context: Context, images: dict[str, Any]
) -> dict[str, Any]:
    return order(
        do,
        context,
        request.target.name if request.stage is not Stage.BASE else "",
        images,
        template=request.template,
        parameters=request.parameters,
        settings=request.instance.settings,
    )


def _parent(request: BuildRequest) -> Unit:
    if request.parent is None:
        raise UsageError("config.parent", "the image of a target is made of a base image")
    return request.parent


def _done(unit: Unit, context: Context) -> Done:
    context.unit(unit)
    return Done.changed()


def _no_such_stage(request: BuildRequest) -> UsageError:
    stage = request.stage.name.lower()
    return UsageError("config.stage", f"a plugin of this type does not build the stage {stage}")
