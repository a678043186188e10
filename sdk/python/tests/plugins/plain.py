"""A plugin for tests of its process: what it does is the first argument or the attachment's setting `do`."""

import logging
import os
import subprocess
import sys
import threading
import time

from wharf import Context, Done, Download, Importer, Plugin, SyncRequest, Unit

if "noisy" in sys.argv:
    print("a library's banner")
    os.write(1, b"from below\n")
    subprocess.run(["echo", "from a child"], check=True)
    sys.stdout.write("without an end of line")

MANIFEST = """{"name": "plain", "version": "0.1.0", "components": [{"id": "importer", "role": "importer"}]}"""


class Plain(Importer):
    def sync(self, request: SyncRequest, context: Context) -> Done:
        match request.attachment.settings.get("do"):
            case "print":
                print("printed in a call")
                logging.getLogger("plain.reader").info("read", extra={"packages": 3})
            case "raise":
                raise ValueError("no such thing")
            case "download":
                staged = context.download(Download("https://a.example/a")).staged
                context.unit(
                    Unit("word", {"text": (context.work_dir / (staged or "")).read_text()})
                )
            case "hang":
                context.log(logging.INFO, "hanging")
                time.sleep(1_000)
            case "wait":
                context.log(logging.INFO, "waiting")
                context.flush()
                context.wait_cancelled()
                context.check_cancelled()
            case "thread":
                threading.Thread(target=time.sleep, args=(1_000,), daemon=False).start()
        return Done.changed()


def plugin() -> Plugin:
    manifest = MANIFEST
    if "disagree" in sys.argv:
        manifest = MANIFEST.replace('"importer", "role"', '"other", "role"')
    return Plugin(manifest).importer("importer", Plain()).grace(0.5)


if __name__ == "__main__":
    sys.exit(plugin().debug() if "debug" in sys.argv else plugin().serve())
