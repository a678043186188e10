"""A plugin on grpcio, written from proto/README.md: the interop service, and what a process needs around it.

Arguments: --without SERVICE leaves out health, controller or stdio. --padded keeps the "=" at the end of the sixth
field. --lie-about-multiplexing says that it can.
"""
import argparse
import base64
import datetime
import json
import os
import queue
import signal
import sys
import threading
import time
from concurrent import futures

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import interop_pb2
import interop_pb2_grpc
from goplugin import controller_pb2, controller_pb2_grpc, health_pb2, health_pb2_grpc
from goplugin import stdio_pb2, stdio_pb2_grpc

COOKIE = "0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e"
VERSION = 1  # the only one, so it is the answer whatever the host offers
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
stop = threading.Event()


def log(level, message, **fields):
    now = datetime.datetime.now(datetime.timezone.utc)
    line = {"@level": level, "@message": message, "@module": "interop.python",
            "@timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **fields}
    print(json.dumps(line), file=sys.stderr, flush=True)


class Peer(interop_pb2_grpc.PeerServicer):
    def Echo(self, request, context):
        return request

    def Make(self, request, context):
        return interop_pb2.Data(data=bytes(request.bytes))

    def Measure(self, request, context):
        return interop_pb2.Size(bytes=len(request.data))

    def Flow(self, request, context):
        for number in range(request.count):
            if number:
                time.sleep(request.pause_ms / 1000)
            yield interop_pb2.Data(data=bytes(request.bytes))

    def Sum(self, request_iterator, context):
        total = 0
        for number in request_iterator:
            total += number.value
            yield interop_pb2.Number(value=total)

    def Print(self, request, context):
        for _ in range(max(request.times, 1)):
            sys.stdout.buffer.write(request.stdout)
            sys.stdout.buffer.flush()
            sys.stderr.buffer.write(request.stderr)
            sys.stderr.buffer.flush()
        return interop_pb2.Nothing()

    def Log(self, request, context):
        log(request.level, request.message, **request.fields)
        return interop_pb2.Nothing()

    def Hang(self, request, context):
        left = threading.Event()
        context.add_callback(left.set)
        left.wait()
        return interop_pb2.Nothing()

    def Panic(self, request, context):
        def fail():
            try:
                raise RuntimeError(request.text)
            finally:
                threading.excepthook = lambda about: (sys.__excepthook__(
                    about.exc_type, about.exc_value, about.exc_traceback), os._exit(1))
        threading.Thread(target=fail).start()
        stop.wait()
        return interop_pb2.Nothing()

    def Exit(self, request, context):
        os._exit(request.value)

    def Tell(self, request, context):
        security = context.auth_context().get("transport_security_type", [b""])[0].decode()
        return interop_pb2.About(version=VERSION, library="grpcio " + grpc.__version__,
                                 pid=os.getpid(), tls=security, environment=dict(os.environ))


class Health(health_pb2_grpc.HealthServicer):
    def Check(self, request, context):
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


class Controller(controller_pb2_grpc.GRPCControllerServicer):
    def Shutdown(self, request, context):
        stop.set()
        return controller_pb2.Empty()


class Stdio(stdio_pb2_grpc.GRPCStdioServicer):
    """Sends what is printed after the handshake; `redirect` is called once the line is out."""

    def __init__(self):
        self.pieces = queue.Queue(64)

    def redirect(self):
        reader, writer = os.pipe()
        os.dup2(writer, 1)
        threading.Thread(target=self.read, args=(reader,), daemon=True).start()

    def read(self, reader):
        while piece := os.read(reader, 1024):
            self.pieces.put(piece)

    def StreamStdio(self, request, context):
        while context.is_active() and not stop.is_set():
            try:
                piece = self.pieces.get(timeout=0.1)
            except queue.Empty:
                continue
            yield stdio_pb2.StdioData(channel=stdio_pb2.StdioData.STDOUT, data=piece)


def certificate():
    """A key (PEM) and its self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=localhost")
    now, usage = datetime.datetime.now(datetime.timezone.utc), x509.ExtendedKeyUsageOID
    made = (x509.CertificateBuilder()
            .subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(seconds=30))
            .not_valid_after(now + datetime.timedelta(days=3650))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False)
            .add_extension(x509.ExtendedKeyUsage([usage.CLIENT_AUTH, usage.SERVER_AUTH]), False)
            .sign(key, hashes.SHA256()))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    return pem, made


def credentials(padded):
    """The server's credentials and the sixth field. Without PLUGIN_CLIENT_CERT: no TLS, an empty field."""
    host = os.environ.get("PLUGIN_CLIENT_CERT", "")
    if not host:
        return None, ""
    key, own = certificate()
    while padded and len(own.public_bytes(serialization.Encoding.DER)) % 3 == 0:
        key, own = certificate()
    made = grpc.ssl_server_credentials([(key, own.public_bytes(serialization.Encoding.PEM))],
                                       root_certificates=host.encode(), require_client_auth=True)
    der = base64.b64encode(own.public_bytes(serialization.Encoding.DER)).decode()
    return made, der if padded else der.rstrip("=")


def main():
    if os.environ.get("WHARF_PLUGIN") != COOKIE:
        print("This is a plugin of wharf's tests; they start it.", file=sys.stderr)
        return 1
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--without", action="append", default=[])
    arguments.add_argument("--padded", action="store_true")
    arguments.add_argument("--lie-about-multiplexing", action="store_true")
    arguments = arguments.parse_args()
    without = arguments.without
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    server = grpc.server(futures.ThreadPoolExecutor(8), options=UNLIMITED)
    stdio = Stdio()
    interop_pb2_grpc.add_PeerServicer_to_server(Peer(), server)
    if "health" not in without:
        health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
    if "controller" not in without:
        controller_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(), server)
    if "stdio" not in without:
        stdio_pb2_grpc.add_GRPCStdioServicer_to_server(stdio, server)
    address = os.path.join(os.environ["PLUGIN_UNIX_SOCKET_DIR"], "python.sock")
    secure, field = credentials(arguments.padded)
    if secure is None:
        server.add_insecure_port("unix:" + address)
    else:
        server.add_secure_port("unix:" + address, secure)
    server.start()
    capable = "true" if arguments.lie_about_multiplexing else "false"
    mux = "|" + capable if os.environ.get("PLUGIN_MULTIPLEX_GRPC") else ""
    print(f"1|{VERSION}|unix|{address}|grpc|{field}{mux}", flush=True)
    if "stdio" not in without:
        stdio.redirect()
    log("info", "serving", address=address)
    parent = os.getppid()
    while not stop.wait(1) and os.getppid() == parent:
        pass
    stop.set()
    server.stop(grace=1).wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
