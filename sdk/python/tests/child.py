"""Plays a host: starts a plugin as a process, reads its line, and talks to it over mutual TLS, as a real one does."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.protobuf.message import Message

from wharf._limits import COOKIE_VALUE
from wharf.host import encoded
from wharf.serve._tls import Security, secure
from wharf.testing import FakeHost
from wharf.v1 import event_pb2, importer_pb2, model_pb2

DEADLINE = 20.0
PLUGINS = Path(__file__).parent / "plugins"


def identity() -> Security:
    """A certificate of the host's own. What it pins does not matter here."""
    return secure(_any_certificate())


def _any_certificate() -> str:
    return (Path(__file__).parent / "plugins/any.pem").read_text()


class Child:
    """A plugin's process under a host that is this test."""

    def __init__(
        self,
        script: str,
        *arguments: str,
        tls: bool = True,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="host-")
        self.host = identity()
        given = {
            "PATH": os.environ["PATH"],
            "WHARF_PLUGIN": COOKIE_VALUE,
            "PLUGIN_PROTOCOL_VERSIONS": "1",
            "PLUGIN_UNIX_SOCKET_DIR": self.folder.name,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if tls:
            given["PLUGIN_CLIENT_CERT"] = self.host.certificate.decode()
        given.update(environment or {})
        self.tls = tls
        command = (
            [script] if Path(script).is_absolute() else [sys.executable, str(PLUGINS / script)]
        )
        self.process = subprocess.Popen(
            [*command, *arguments],
            env=given,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline().decode().rstrip("\n")
        self.fields = self.line.split("|")
        self.servers: list[grpc.Server] = []

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate(timeout=DEADLINE)
        for server in self.servers:
            server.stop(0).wait(DEADLINE)
        self.folder.cleanup()

    @property
    def socket(self) -> Path:
        return Path(self.fields[3])

    def certificate(self) -> bytes:
        """That of the plugin, from its line, as PEM."""
        text = self.fields[5]
        der = base64.b64decode(text + "=" * (-len(text) % 4))
        return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)

    def channel(self, shown: Security | None = None) -> grpc.Channel:
        address = f"unix:{self.socket}"
        options = [
            ("grpc.default_authority", "localhost"),
            ("grpc.ssl_target_name_override", "localhost"),
            ("grpc.enable_retries", 0),
        ]
        if not self.tls:
            return grpc.insecure_channel(address, options[:1])
        shown = shown or self.host
        credentials = grpc.ssl_channel_credentials(self.certificate(), shown.key, shown.certificate)
        return grpc.secure_channel(address, credentials, options)

    def ask(self, path: str, request: bytes = b"", channel: grpc.Channel | None = None) -> bytes:
        """A call with one answer, in bytes."""
        with channel or self.channel() as used:
            call = used.unary_unary(path, request_serializer=bytes, response_deserializer=bytes)
            return call(request, timeout=DEADLINE)

    def serve_host(self, host: FakeHost) -> str:
        """Serves the fake host to the plugin, as a real one does; gives its address."""
        server = grpc.server(ThreadPoolExecutor(4), handlers=[host.handler(Path(self.folder.name))])
        address = f"unix://{self.folder.name}/host.sock"
        pair = [(self.host.key, self.host.certificate)]
        credentials = grpc.ssl_server_credentials(
            pair, self.certificate(), require_client_auth=True
        )
        server.add_secure_port(address, credentials)
        server.start()
        self.servers.append(server)
        return address

    def start_sync(self, settings: str, host_address: str = "") -> Iterator[event_pb2.Event]:
        """Starts `Importer.Sync` of component `importer`, whose events come as they are taken."""
        instance = model_pb2.Instance(component="importer")
        request = importer_pb2.SyncRequest(
            context=model_pb2.JobContext(
                host_address=host_address,
                token="secret-token",  # noqa: S106
                job=7,
                work_dir=self.folder.name,
            ),
            attachment=model_pb2.Attachment(instance=instance, settings=settings),
        )
        yield from self._events("Sync", request)

    def _events(self, call: str, request: Message) -> Iterator[event_pb2.Event]:
        with self.channel() as channel:
            stream = channel.unary_stream(
                f"/wharf.v1.Importer/{call}",
                request_serializer=encoded,
                response_deserializer=event_pb2.Event.FromString,
            )
            yield from stream(request, timeout=DEADLINE)

    def sync(self, settings: str, host_address: str = "") -> list[event_pb2.Event]:
        """Makes `Importer.Sync` of component `importer`."""
        return [*self.start_sync(settings, host_address)]

    def listed(self, settings: str) -> list[event_pb2.Event]:
        """Makes `Importer.List` of component `importer`."""
        instance = model_pb2.Instance(component="importer")
        request = importer_pb2.ListRequest(
            context=model_pb2.JobContext(job=7, work_dir=self.folder.name),
            attachment=model_pb2.Attachment(instance=instance, settings=settings),
        )
        return [*self._events("List", request)]

    def shutdown(self) -> None:
        self.ask("/plugin.GRPCController/Shutdown")

    def stop_reading(self) -> None:
        """Closes the host's ends of both outputs."""
        for output in (self.process.stdout, self.process.stderr):
            if output is not None:
                output.close()
        self.process.stdout = self.process.stderr = None

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> tuple[int, str, str]:
        """Waits for the process; gives status, the rest of standard output, and standard error."""
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out.decode(), err.decode()
