"""What a delegate can be told to do, each as Image Factory does it: which methods are called, in which order, with what."""

from __future__ import annotations

import contextlib
import inspect
import sys
from pathlib import Path
from typing import Any

from wharf.compat.imagefactory.delegate._channel import Channel
from wharf.compat.imagefactory.delegate._load import PluginError, delegate_class
from wharf.compat.imagefactory.delegate._session import Builder, Session, made, observe
from wharf.compat.imagefactory.delegate._told import HostsWay, Progress
from wharf.compat.imagefactory.imgfac import PersistentImage, ReservationManager

STOPPED = 143
"""The exit status of a delegate that was told to stop."""


class Work:
    """The plugin's package, and the session that it works for now."""

    def __init__(self, info: Path, channel: Channel) -> None:
        self._info = info
        self._channel = channel
        self._class: Any = None
        self._session: Session | None = None
        self._progress = Progress(channel)
        observe(self._progress, "changed")
        ReservationManager.way = HostsWay(channel)

    def do(self, order: dict[str, Any]) -> dict[str, Any]:
        """Does one thing; gives what came of it."""
        if self._class is None:
            self._class = delegate_class(self._info)
        session = self._session
        if session is None or session.key != order["key"]:
            session = self._session = Session(self._class, order)
        else:
            session.take(order)
        answer: dict[str, Any] = getattr(self, f"_{order['do']}")(session, order)
        return answer

    def stop(self, *_signal: object) -> None:
        """Has the delegate abort, and ends."""
        abort = None if self._session is None else self._session.optional("abort")
        if abort is not None:
            with contextlib.suppress(Exception):
                abort()
        sys.exit(STOPPED)

    def _base(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        builder = session.builder
        create = _wanted(session, "create_base_image", "makes no base images")
        with _building(builder.base_image):
            create(builder, session.template, session.parameters)
        return _told(builder.base_image)

    def _os_target(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        """The OS plugin's part: run content in the guest, and make the target's image of the base's."""
        builder, content = session.builder, order["content"]
        if content["commands"] or content["files"]:
            add = _wanted(session, "add_cloud_plugin_content", "takes no content of other plugins")
            add(content)
        create = session.optional("create_target_image")
        with _building(builder.target_image):
            if create is not None:
                create(builder, session.target, _id(builder.base_image), session.parameters)
        _hand_on(builder)
        return _told(builder.target_image)

    def _asked(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        """The cloud plugin's part before: whether, and with which content."""
        builder = session.builder
        arguments = (
            builder,
            session.target,
            _id(builder.base_image),
            session.template,
            session.parameters,
        )
        should = session.optional("builder_should_create_target_image")
        if should is not None and not should(*arguments):
            image = builder.target_image
            return {"should": False, **(_told(image) if image and made(image) else {})}
        will = session.optional("builder_will_create_target_image")
        if will is not None:
            will(*arguments)
        contents = builder.os_plugin
        return {"should": True, "content": {"commands": contents.commands, "files": contents.files}}

    def _cloud_target(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        """The cloud plugin's part after, and the one before where nobody asked for it."""
        builder = session.builder
        if not order["asked"]:
            answer = self._asked(session, order)
            if not answer["should"]:
                return answer
            self._warn_of(answer["content"])
        _hand_on(builder)
        did = session.optional("builder_did_create_target_image")
        with _building(builder.target_image):
            if did is not None:
                did(
                    builder,
                    session.target,
                    _id(builder.base_image),
                    session.template,
                    session.parameters,
                )
        return {"should": True, **_told(builder.target_image)}

    def _warn_of(self, content: dict[str, Any]) -> None:
        count = len(content["commands"]) + len(content["files"])
        if count:
            text = f"{count} commands and files that the plugin wanted in the guest were not put there: nobody ran them"
            self._channel.tell("warning", text=text)

    def _push(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        builder = session.builder
        push = _wanted(session, "push_image_to_provider", "brings no images to providers")
        with _building(builder.provider_image):
            push(
                builder,
                order["images"]["provider"]["provider"],
                order["images"]["provider"]["credentials"],
                session.target,
                _id(builder.target_image),
                session.parameters,
            )
        return _remote(builder)

    def _delete(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        builder, provider = session.builder, order["images"]["provider"]
        delete = _wanted(session, "delete_from_provider", "deletes no images at providers")
        with _building(builder.provider_image, "DELETING"):
            delete(
                builder,
                provider["provider"],
                provider["credentials"],
                session.target,
                session.parameters,
            )
        return {}

    def _snapshot(self, session: Session, order: dict[str, Any]) -> dict[str, Any]:
        builder, provider = session.builder, order["images"]["provider"]
        snapshot = _wanted(session, "snapshot_image_on_provider", "builds nothing at providers")
        whole = (
            builder,
            provider["provider"],
            provider["credentials"],
            session.target,
            session.template,
            session.parameters,
        )
        with _building(builder.provider_image):
            # Some plugins declare it without the target.
            snapshot(*(whole if _takes(snapshot, whole) else (*whole[:3], *whole[4:])))
        return _remote(builder)


@contextlib.contextmanager
def _building(image: PersistentImage | None, status: str = "BUILDING") -> Any:
    """The statuses are the program's to set: none of them decides anything any more."""
    if image is not None:
        image.status = status
    yield
    if image is not None and status == "BUILDING":
        image.status = "COMPLETE"


def _wanted(session: Session, method: str, what: str) -> Any:
    found = session.optional(method)
    if found is None:
        raise PluginError(f"the plugin {what}: its delegate has no method {method}")
    return found


def _takes(method: Any, arguments: tuple[Any, ...]) -> bool:
    try:
        inspect.signature(method).bind(*arguments)
    except TypeError:
        return False
    return True


def _id(image: PersistentImage | None) -> str | None:
    return None if image is None else image.identifier


def _hand_on(builder: Builder) -> None:
    """What nobody made a target's image of becomes one as it is. The base's file is a copy of the job's own."""
    base, target = builder.base_image, builder.target_image
    if target is None or made(target) or base is None or not made(base):
        return
    source, place = Path(str(base.data)), Path(str(target.data))
    source.rename(place)
    source.symlink_to(place)


def _told(image: PersistentImage | None) -> dict[str, Any]:
    if image is None or not made(image):
        data = None if image is None else image.data
        raise RuntimeError(f"the plugin's method ended well, and there is no image in {data}")
    return {
        "data": str(image.data),
        "icicle": None if image.icicle is None else str(image.icicle),
        "properties": image.properties,
    }


def _remote(builder: Builder) -> dict[str, Any]:
    image = builder.provider_image
    identifier = None if image is None else image.identifier_on_provider
    if image is None or not identifier:
        raise RuntimeError("the plugin's method ended well, and set no identifier_on_provider")
    return {
        "identifier": str(identifier),
        "account": image.provider_account_identifier,
        "icicle": None if image.icicle is None else str(image.icicle),
        "properties": image.properties,
    }
