"""A plugin for tests: raises each class of error at each call, as its settings say.

Without that it works: `sync` declares two notes, `files` lists two and hands out their bytes, `tree` publishes them.
"""

import os
import sys
from pathlib import Path
from typing import Any

from wharf import (
    Cancelled,
    Check,
    Checked,
    Context,
    Distributor,
    Done,
    FetchRequest,
    File,
    Importer,
    ListedItem,
    ListRequest,
    OperationError,
    Plugin,
    PublishedFile,
    PublishRequest,
    Scope,
    SyncRequest,
    Unit,
    UsageError,
)

NOTES = {"a.txt": b"the first note\n", "b.txt": b"the second note\n"}
BEAT = 0.05


def hold(settings: dict[str, Any], context: Context) -> None:
    """Sends progress for as long as the settings say, or until a stop is wanted."""
    beats = settings.get("hold_ms", 0) // round(BEAT * 1_000)
    for beat in range(beats):
        # Several fetches of a job hold at once, and the count of a job must not go down.
        context.progress(0, phase="holding", activity=f"{beat} of {beats}")
        context.wait_cancelled(BEAT)
        context.check_cancelled()


def end(call: str, settings: dict[str, Any], context: Context) -> None:
    """What each call does before it ends well."""
    hold(settings, context)
    if settings.get("at") != call:
        return
    if settings.get("raise") == "warning":
        context.warn("content.errors", f"{call} was asked to warn")
    else:
        fail(call, settings)


def fail(call: str, settings: dict[str, Any]) -> None:
    """Raises what the settings ask for."""
    text = f"{call} was asked to fail"
    match settings.get("raise"):
        case "usage":
            raise UsageError("usage.errors", text)
        case "field":
            raise UsageError("config.errors", text, field="/at")
        case "item":
            raise OperationError("source.errors", text, item="a.txt")
        case "attachment":
            raise OperationError("source.errors", text, scope=Scope.ATTACHMENT)
        case "run":
            raise OperationError("source.errors", text, scope=Scope.RUN)
        case "retry":
            raise OperationError("source.errors", text, scope=Scope.RUN, retry_after=1.0)
        case "cancelled":
            raise Cancelled
        case "fault":
            raise ValueError(text)
        case "exit":
            os._exit(3)


class Checking:
    """Raises in `check`."""

    def check(self, check: Check) -> Checked:
        settings = check.values
        if settings.get("at") != "check":
            return Checked.good()
        if settings.get("raise") == "warning":
            return Checked.good().warning("/at", "content.errors", "check was asked to warn")
        fail("check", settings)
        return Checked.good()


class Sync(Checking, Importer):
    """Declares two notes: one sends its bytes along, one stages them."""

    def sync(self, request: SyncRequest, context: Context) -> Done:
        (first, inline), (second, staged) = NOTES.items()
        (context.work_dir / "staged-note").write_bytes(staged)
        context.unit(Unit("note", {"path": first}, files=[File(first, inline=inline)]))
        context.unit(Unit("note", {"path": second}, files=[File(second, staged="staged-note")]))
        end("sync", request.attachment.settings, context)
        return Done.changed(announced=2)


class Files(Checking, Importer):
    """Lists two notes, and hands out their bytes in chunks."""

    def list(self, request: ListRequest, context: Context) -> Done:
        for path, data in NOTES.items():
            unit = Unit("note", {"path": path}, files=[File(path, size=len(data))])
            context.listed(ListedItem(unit, revision="1"))
        end("list", request.attachment.settings, context)
        return Done.changed()

    def fetch(self, request: FetchRequest, context: Context) -> Done:
        data = NOTES[request.unit.files[0].path]
        context.chunk(data[request.offset :])
        end("fetch", request.attachment.settings, context)
        return Done.changed()


class Tree(Checking, Distributor):
    """Publishes the notes of a version, under their own paths."""

    def publish(self, request: PublishRequest, context: Context) -> Done:
        for unit in context.units():
            for file in unit.files:
                context.file(PublishedFile.of_unit(file.path, unit.id, file.path))
        end("publish", request.attachment.settings, context)
        return Done.changed()


def plugin() -> Plugin:
    manifest = Path(__file__).with_name("plugin.json").read_text("utf-8")
    made = Plugin(manifest).importer("sync", Sync()).importer("files", Files())
    return made.distributor("tree", Tree())


if __name__ == "__main__":
    sys.exit(plugin().serve())
