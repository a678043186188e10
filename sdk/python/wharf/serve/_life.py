"""A plugin's life under a host: from the cookie to the end of the process.

The end comes by the host's word (`GRPCController.Shutdown`), by SIGTERM, or when the host is gone. SIGINT is left to
the host: Ctrl-C in a terminal reaches plugins too. Running calls get their grace time, new ones are refused, the socket
is removed, the status is 0.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from wharf import _output
from wharf import logging as hclog
from wharf._limits import MAX_RECEIVED_BYTES
from wharf.host import Dialer
from wharf.serve import _handshake, _tls
from wharf.serve._calls import Calls
from wharf.serve._registry import Registry
from wharf.serve._services import services
from wharf.serve._start_error import StartError

_log = logging.getLogger("wharf.serve")
LOOK = 1.0
"""Seconds between two looks whether the parent process is still there."""
LAST_WORDS = 0.3
"""Seconds that connections and threads get to end after the calls."""
THREADS = 64
"""Calls that are answered at once; more wait. Health and shutdown have threads of their own."""
STREAMS = 1_024
"""Calls of one connection, those that wait included; a host that has so many open begins no more."""


def server(registry: Registry, calls: Calls, pool: ThreadPoolExecutor) -> grpc.Server:
    """A server with the contract's services, not bound to anything yet."""
    return grpc.server(
        pool,
        handlers=services(registry, calls),
        options=(
            ("grpc.max_receive_message_length", MAX_RECEIVED_BYTES),
            ("grpc.max_concurrent_streams", STREAMS),
        ),
    )


def _controller(stop: threading.Event, pool: ThreadPoolExecutor) -> grpc.GenericRpcHandler:
    """`plugin.GRPCController`. Its messages are empty, so there is nothing to generate for them."""

    def shutdown(_: bytes, __: grpc.ServicerContext) -> bytes:
        stop.set()
        return b""

    # Answered even while all other threads work. The health service of grpcio does it in the same way.
    shutdown.experimental_thread_pool = pool  # type: ignore[attr-defined]
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(shutdown)
    return grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": handler})


def _stdio(stop: threading.Event, pool: ThreadPoolExecutor) -> grpc.GenericRpcHandler:
    """`plugin.GRPCStdio`, silent until the end: what is printed goes to standard error, which the host reads anyway."""

    def stream(_: bytes, rpc: grpc.ServicerContext) -> Iterator[bytes]:
        while rpc.is_active() and not stop.wait(LOOK):
            continue
        yield from ()

    stream.experimental_thread_pool = pool  # type: ignore[attr-defined]
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_stream_rpc_method_handler(stream)
    return grpc.method_handlers_generic_handler("plugin.GRPCStdio", {"StreamStdio": handler})


def _health(made: grpc.Server, pool: ThreadPoolExecutor) -> None:
    servicer = health.HealthServicer(experimental_thread_pool=pool)
    servicer.set("plugin", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, made)


@contextmanager
def _bound(
    made: grpc.Server, where: _handshake.Place, security: _tls.Security | None
) -> Iterator[None]:
    try:
        _bind(made, where, security)
        yield
    finally:
        where.remove()


def _bind(made: grpc.Server, where: _handshake.Place, security: _tls.Security | None) -> None:
    address = f"unix:{where.socket}"
    try:
        if security is None:
            made.add_insecure_port(address)
        else:
            made.add_secure_port(address, security.server())
        made.start()
        where.open_up()
    except (RuntimeError, OSError) as cause:
        raise StartError(f"the socket {where.socket} cannot be listened on: {cause}") from cause


def live(registry: Registry, grace: float, log_level: int, by_hand: str) -> int:
    """Serves until the host wants the plugin to stop; gives the exit status."""
    if not _output.is_launched():
        raise StartError(by_hand)
    _output.reserve_if_launched()
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    hclog.install(log_level)
    faulthandler.enable()
    host = os.environ.get("PLUGIN_CLIENT_CERT", "")
    security = _tls.secure(host) if host else None
    where = _handshake.place(os.environ)
    with _serving(registry, grace, where, security, stop):
        _announce(where, security)
        while not stop.wait(LOOK):
            if os.getppid() != _output.PARENT:
                _log.debug("the parent process is gone")
                break
    return 0


def debug(registry: Registry, grace: float, log_level: int) -> int:
    """Serves without a host, in clear, until Ctrl-C; prints where."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    logging.basicConfig(level=log_level)
    where = _handshake.place({})
    with _serving(registry, grace, where, None, stop):
        sys.stdout.write(f"{_handshake.description(where.socket)}\n")
        sys.stdout.flush()
        while not stop.wait(LOOK):
            continue
    return 0


@contextmanager
def _serving(
    registry: Registry,
    grace: float,
    where: _handshake.Place,
    security: _tls.Security | None,
    stop: threading.Event,
) -> Iterator[None]:
    """Serves while the block runs, then ends calls, connections and threads."""
    dialer = Dialer(security.client() if security else None)
    calls = Calls(dialer, grace)
    with (
        _threads("call", THREADS) as pool,
        _threads("heart", 2) as heart,
        _threads("stdio", 1) as stdio,
    ):
        made = server(registry, calls, pool)
        made.add_generic_rpc_handlers((_controller(stop, heart), _stdio(stop, stdio)))
        _health(made, heart)
        with _bound(made, where, security):
            yield
            stop.set()
            ended = _stop(made, calls)
    dialer.close()
    _leave(ended=ended)


@contextmanager
def _threads(name: str, most: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that end after the block, as soon as they are idle."""
    pool = ThreadPoolExecutor(most, name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False)


def _announce(where: _handshake.Place, security: _tls.Security | None) -> None:
    version = _handshake.app_version(os.environ.get("PLUGIN_PROTOCOL_VERSIONS", ""))
    certificate = security.line_field if security else ""
    multiplex = bool(os.environ.get("PLUGIN_MULTIPLEX_GRPC"))
    _output.announce(_handshake.line(version, where.socket, certificate, multiplex=multiplex))


def _stop(made: grpc.Server, calls: Calls) -> bool:
    """Refuses new calls and ends the running ones; tells whether all methods ended."""
    stopped = made.stop(calls.grace + LAST_WORDS)
    ended = calls.stop()
    stopped.wait(LAST_WORDS)
    return ended


def _leave(*, ended: bool) -> None:
    """Ends the process at once where a thread would keep it: a method that ignores the cancel, or a thread that the
    author's code left running.
    """
    deadline = time.monotonic() + LAST_WORDS
    others = [it for it in threading.enumerate() if it is not threading.current_thread()]
    keeping = [it for it in others if not it.daemon]
    for thread in keeping:
        thread.join(max(0.0, deadline - time.monotonic()))
    if ended and not any(thread.is_alive() for thread in keeping):
        return
    _log.warning("something still runs in this process and is ended with it")
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(0)
