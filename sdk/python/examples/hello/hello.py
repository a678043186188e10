"""The smallest useful plugin: an importer that makes a unit of every line of a list."""

import sys
from pathlib import Path

from wharf import Context, Done, Download, Importer, OperationError, Plugin, SyncRequest, Unit


class Hello(Importer):
    def sync(self, request: SyncRequest, context: Context) -> Done:
        downloaded = context.download(Download(request.attachment.settings["url"]))
        try:
            text = (context.work_dir / (downloaded.staged or "")).read_text("utf-8")
        except ValueError as cause:
            raise OperationError("content.list", "the list is no text") from cause
        for line in text.splitlines():
            context.unit(Unit("greeting", {"text": line}))
        return Done.changed()


def plugin() -> Plugin:
    manifest = Path(__file__).with_name("plugin.json").read_text("utf-8")
    return Plugin(manifest).importer("importer", Hello())


if __name__ == "__main__":
    sys.exit(plugin().serve())
