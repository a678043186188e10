"""A plugin's process: how it starts, what it prints, whom it answers, how it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import grpc
import pytest
from child import DEADLINE, PLUGINS, Child, identity
from grpc_health.v1 import health_pb2

from wharf._limits import COOKIE_VALUE
from wharf.testing import FakeHost
from wharf.v1 import plugin_pb2

PLAIN = "plain.py"


def test_run_by_hand_it_says_what_it_is() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "WHARF_PLUGIN"}
    done = subprocess.run(
        [sys.executable, str(PLUGINS / PLAIN)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "This is plain 0.1.0, a plugin of wharf." in done.stderr


def test_it_announces_a_private_socket_and_answers_there() -> None:
    with Child(PLAIN) as child:
        assert child.fields[:3] == ["1", "1", "unix"]
        assert child.fields[4] == "grpc"
        assert len(child.fields) == 6
        assert child.socket.parent == Path(child.folder.name)
        assert stat.S_IMODE(child.socket.stat().st_mode) == 0o600
        asked = health_pb2.HealthCheckRequest(service="plugin").SerializeToString()
        health = child.ask("/grpc.health.v1.Health/Check", asked)
        assert health_pb2.HealthCheckResponse.FromString(health).status == 1
        described = plugin_pb2.DescribeResponse.FromString(child.ask("/wharf.v1.Plugin/Describe"))
        assert (described.name, described.components[0].id) == ("plain", "importer")
        child.shutdown()
        assert child.end()[0] == 0
        assert not child.socket.exists()


def test_only_the_pinned_certificate_is_let_in() -> None:
    with Child(PLAIN) as child:
        with pytest.raises(grpc.RpcError) as refused:
            child.ask("/wharf.v1.Plugin/Describe", channel=child.channel(identity()))
        assert isinstance(refused.value, grpc.Call)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        assert child.ask("/wharf.v1.Plugin/Describe")


def test_without_a_certificate_of_the_host_it_speaks_in_clear() -> None:
    with Child(PLAIN, tls=False) as child:
        assert child.fields[5] == ""
        assert child.ask("/wharf.v1.Plugin/Describe")


def test_a_host_that_asks_for_multiplexing_is_told_no() -> None:
    with Child(PLAIN, environment={"PLUGIN_MULTIPLEX_GRPC": "true"}) as child:
        assert child.fields[6] == "false"


def test_the_socket_is_given_to_a_group() -> None:
    group = os.getgid()
    with Child(PLAIN, environment={"PLUGIN_UNIX_SOCKET_GROUP": str(group)}) as child:
        found = child.socket.stat()
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, group)


def test_without_a_folder_it_makes_and_removes_its_own() -> None:
    with Child(PLAIN, environment={"PLUGIN_UNIX_SOCKET_DIR": ""}) as child:
        assert stat.S_IMODE(child.socket.parent.stat().st_mode) == 0o700
        child.shutdown()
        child.end()
        assert not child.socket.parent.exists()


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"PLUGIN_CLIENT_CERT": "no certificate"}, "PLUGIN_CLIENT_CERT holds no certificate"),
        ({"PLUGIN_UNIX_SOCKET_DIR": "/nowhere/at/all"}, "no folder for the socket"),
        ({"PLUGIN_UNIX_SOCKET_DIR": f"/{'x' * 120}"}, "may have 107"),
        ({"PLUGIN_UNIX_SOCKET_GROUP": "no-such-group-here"}, "no group 'no-such-group-here'"),
    ],
)
def test_what_it_cannot_start_with_is_told(environment: dict[str, str], reason: str) -> None:
    with Child(PLAIN, environment=environment) as child:
        status, _, errors = child.end()
        assert (status, child.line) == (1, "")
        assert reason in errors


def test_a_program_that_disagrees_with_its_manifest_does_not_start() -> None:
    with Child(PLAIN, "disagree") as child:
        status, _, errors = child.end()
        assert (status, child.line) == (1, "")
        assert "component 'other'" in errors


# F11, F62
def test_stray_prints_reach_the_log_and_not_the_handshake() -> None:
    with Child(PLAIN, "noisy") as child:
        assert child.line.startswith("1|1|unix|")
        events = child.sync('{"do": "print"}')
        assert events[-1].HasField("result")
        child.shutdown()
        status, out, errors = child.end()
    assert (status, out) == (0, "")
    for text in (
        "a library's banner",
        "from below",
        "from a child",
        "without an end",
        "printed in a call",
    ):
        assert text in errors


def test_logs_are_lines_of_json() -> None:
    with Child(PLAIN) as child:
        child.sync('{"do": "print"}')
        child.shutdown()
        lines = [json.loads(line) for line in child.end()[2].splitlines() if line.startswith("{")]
    line = next(line for line in lines if line["@message"] == "read")
    assert (line["@level"], line["@module"], line["packages"]) == ("info", "plain.reader", 3)


def test_an_exception_ends_one_call_and_its_trace_is_logged() -> None:
    with Child(PLAIN) as child:
        error = child.sync('{"do": "raise"}')[-1].error
        assert (error.code, error.message) == (
            "internal.exception",
            "the plugin raised ValueError: no such thing",
        )
        assert child.sync("{}")[-1].HasField("result")
        child.shutdown()
        lines = [json.loads(line) for line in child.end()[2].splitlines() if line.startswith("{")]
    line = next(line for line in lines if line["@level"] == "error")
    assert line["error"] == "ValueError: no such thing"
    assert "plain.py" in line["traceback"]


# F64
def test_a_host_that_reads_no_prints_and_no_logs_is_survived() -> None:
    with Child(PLAIN) as child:
        child.stop_reading()
        assert child.sync('{"do": "print"}')[-1].HasField("result")
        assert child.sync('{"do": "raise"}')[-1].error.code == "internal.exception"
        child.shutdown()
        assert child.process.wait(DEADLINE) == 0


def test_it_reaches_the_host_with_its_own_certificate() -> None:
    with Child(PLAIN) as child:
        address = child.serve_host(FakeHost().file("https://a.example/a", b"there"))
        events = child.sync('{"do": "download"}', address)
        assert events[0].units.units[0].key == '{"text":"there"}'


def test_sigterm_ends_running_calls_and_the_process() -> None:
    with Child(PLAIN) as child:
        events = child.start_sync('{"do": "wait"}')
        assert next(events).log.text == "waiting"
        child.signal(signal.SIGTERM)
        assert [*events][-1].error.code == "cancelled"
        assert child.end()[0] == 0
        assert not child.socket.exists()


def test_sigint_is_left_to_the_host() -> None:
    with Child(PLAIN) as child:
        child.signal(signal.SIGINT)
        assert child.ask("/wharf.v1.Plugin/Describe")
        child.shutdown()
        assert child.end()[0] == 0


# F52
def test_a_method_that_ignores_the_end_does_not_keep_the_process() -> None:
    with Child(PLAIN) as child:
        events = child.start_sync('{"do": "hang"}')
        assert next(events).log.text == "hanging"
        child.shutdown()
        status, _, errors = child.end()
    assert (status, "something still runs" in errors) == (0, True)


def test_a_thread_of_the_authors_does_not_keep_the_process() -> None:
    with Child(PLAIN) as child:
        assert child.sync('{"do": "thread"}')[-1].HasField("result")
        child.shutdown()
        status, _, errors = child.end()
    assert (status, "something still runs" in errors) == (0, True)


def test_the_stream_of_prints_is_there_and_stays_silent_until_the_end() -> None:
    with Child(PLAIN) as child, child.channel() as channel:
        stream = channel.unary_stream(
            "/plugin.GRPCStdio/StreamStdio", request_serializer=bytes, response_deserializer=bytes
        )
        printed = stream(b"", timeout=DEADLINE)
        assert child.sync('{"do": "print"}')[-1].HasField("result")
        child.shutdown()
        assert [*printed] == []
        assert child.end()[0] == 0


def test_under_a_debugger_it_tells_where_it_is_and_ends_with_ctrl_c() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "WHARF_PLUGIN"}
    with subprocess.Popen(
        [sys.executable, str(PLUGINS / PLAIN), "debug"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        socket = Path(told["Addr"]["String"])
        assert (told["Protocol"], told["ProtocolVersion"], told["Test"]) == ("grpc", 1, True)
        assert (told["Pid"], told["Addr"]["Network"]) == (process.pid, "unix")
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        with grpc.insecure_channel(f"unix:{socket}") as channel:
            call = channel.unary_unary(
                "/wharf.v1.Plugin/Describe", request_serializer=bytes, response_deserializer=bytes
            )
            assert call(b"", timeout=DEADLINE)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0
    assert not socket.parent.exists()


def test_it_ends_when_its_parent_is_gone() -> None:
    """A program that starts the plugin and ends at once leaves it an orphan, which its standard error shows."""
    starter = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, {str(PLUGINS / PLAIN)!r}], stdout=subprocess.PIPE)\n"
        "child.stdout.readline()\n"
    )
    environment = {**os.environ, "WHARF_PLUGIN": COOKIE_VALUE}
    # The pipe of standard error ends with the last process that holds it: the orphan.
    done = subprocess.run(
        [sys.executable, "-c", starter],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert "the parent process is gone" in done.stderr
