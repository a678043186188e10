"""How many declared units a second go from a plugin's method to a host that reads, counts and drops them, over gRPC on a
Unix socket: `python examples/throughput.py [UNITS]`. `--profile` shows where the plugin's time goes.
"""

import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import nullcontext

import grpc

from wharf import Context, Done, File, Importer, Plugin, SyncRequest, Unit
from wharf._limits import COOKIE_VALUE
from wharf.host import encoded
from wharf.testing import Harness
from wharf.v1 import event_pb2, importer_pb2, model_pb2

SUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
MANIFEST = json.dumps(
    {
        "name": "many",
        "version": "0.1.0",
        "components": [{"id": "importer", "role": "importer"}],
    }
)
PROFILE = "--profile" in sys.argv


class Many(Importer):
    """Declares as many units as the settings say, each with a file by reference."""

    def sync(self, request: SyncRequest, context: Context) -> Done:
        units = request.attachment.settings["units"]
        with cProfile.Profile() if PROFILE else nullcontext() as profile:
            self.declare(units, context)
        if isinstance(profile, cProfile.Profile):
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(12)
        return Done.changed(announced=units)

    def declare(self, units: int, context: Context) -> None:
        for n in range(units):
            path = f"pool/main/{n % 100}/file-{n}.bin"
            url = f"https://mirror.example.org/tree/{path}"
            file = File(path, sha256=SUM, size=1_024, url=url)
            context.unit(Unit("file", {"relative_path": path, "sha256": SUM}, files=[file]))


def plugin() -> Plugin:
    return Plugin(MANIFEST).importer("importer", Many())


def request(units: int) -> importer_pb2.SyncRequest:
    instance = model_pb2.Instance(component="importer")
    settings = json.dumps({"units": units})
    attachment = model_pb2.Attachment(instance=instance, settings=settings)
    return importer_pb2.SyncRequest(attachment=attachment)


def measure(name: str, events: Iterable[bytes]) -> None:
    begun = time.monotonic()
    counted = sum(len(event_pb2.Event.FromString(event).units.units) for event in events)
    seconds = time.monotonic() - begun
    print(
        f"{name}: {counted} units in {seconds:.2f} s, {counted / seconds:.0f} a second", flush=True
    )


def together(units: int) -> None:
    """Both ends share one interpreter, and so its lock."""
    with Harness(plugin(), patience=600.0) as harness:
        measure("both ends in one process", harness.stream("Importer", "Sync", request(units)))


def apart(units: int) -> None:
    """The plugin is a process of its own, as under a host that wants no TLS."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "WHARF_PLUGIN": COOKIE_VALUE,
            "PLUGIN_UNIX_SOCKET_DIR": folder,
        }
        command = [sys.executable, __file__, "serve", *sys.argv[1:]]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
            address = process.stdout.readline().decode().split("|")[3] if process.stdout else ""
            with grpc.insecure_channel(f"unix:{address}") as channel:
                call = channel.unary_stream(
                    "/wharf.v1.Importer/Sync",
                    request_serializer=encoded,
                    response_deserializer=bytes,
                )
                measure("each in its own process", call(request(units)))
            process.terminate()


def main() -> int:
    if "serve" in sys.argv:
        return plugin().serve()
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    units = numbers[0] if numbers else 200_000
    apart(units)
    together(units)
    return 0


if __name__ == "__main__":
    sys.exit(main())
