"""The plugin of errors raises each class at each call, and works when it is not asked to."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from wharf import File, Plugin, Unit
from wharf.testing import FakeHost, Harness, Run
from wharf.v1 import model_pb2

ERRORS = Path(__file__).parents[1] / "examples/errors"
NOTES = {"a.txt": b"the first note\n", "b.txt": b"the second note\n"}
USAGE, OPERATION = model_pb2.ERROR_CLASS_USAGE, model_pb2.ERROR_CLASS_OPERATION
CANCELLED, FAULT = model_pb2.ERROR_CLASS_CANCELLED, model_pb2.ERROR_CLASS_FAULT
ITEM, ATTACHMENT, RUN = (
    model_pb2.ERROR_SCOPE_ITEM,
    model_pb2.ERROR_SCOPE_ATTACHMENT,
    model_pb2.ERROR_SCOPE_RUN,
)


@pytest.fixture(scope="module")
def harness() -> Iterator[Harness]:
    plugin: Plugin = runpy.run_path(str(ERRORS / "errors.py"))["plugin"]()
    host = FakeHost()
    for path in NOTES:
        host.unit(Unit("note", {"path": path}, files=[File(path, sha256="00")]))
    with Harness(plugin.types((ERRORS / "types/note.json").read_text()), host) as harness:
        yield harness


def made(harness: Harness, call: str, **settings: object) -> Run:
    """The run of a call whose settings make it raise."""
    settings = {"at": call, **settings}
    if call == "sync":
        return harness.call("sync").settings(settings).sync()
    if call == "list":
        return harness.call("files").settings(settings).list()
    if call == "fetch":
        item = harness.call("files").list().listed[0]
        return harness.call("files").settings(settings).fetch(item)
    return harness.call("tree").settings(settings).publish()


CALLS = pytest.mark.parametrize("call", ["sync", "list", "fetch", "publish"])


@CALLS
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("usage", (USAGE, RUN, "", "", False, 0)),
        ("field", (USAGE, RUN, "/at", "", False, 0)),
        ("item", (OPERATION, ITEM, "", "a.txt", False, 0)),
        ("attachment", (OPERATION, ATTACHMENT, "", "", False, 0)),
        ("run", (OPERATION, RUN, "", "", False, 0)),
        ("retry", (OPERATION, RUN, "", "", True, 1_000)),
        ("cancelled", (CANCELLED, RUN, "", "", False, 0)),
        ("fault", (FAULT, RUN, "", "", False, 0)),
    ],
)
def test_every_class_is_told_at_every_call(
    harness: Harness, call: str, asked: str, expected: tuple[object, ...]
) -> None:
    error = made(harness, call, **{"raise": asked}).failure()
    kind = getattr(error, "class")
    told = (kind, error.scope, error.field, error.item, error.retryable, error.retry_after_ms)
    assert told == expected


@CALLS
def test_a_warning_goes_on_to_success(harness: Harness, call: str) -> None:
    run = made(harness, call, **{"raise": "warning"})
    assert [it.code for it in run.warnings] == ["content.errors"]
    assert run.done().changed


def test_it_works_when_nothing_is_asked_of_it(harness: Harness) -> None:
    units = harness.call("sync").sync().units
    assert units[0].files[0].wire.inline == NOTES["a.txt"]
    staged = harness.work_dir / (units[1].files[0].staged_path or "")
    assert staged.read_bytes() == NOTES["b.txt"]
    listed = harness.call("files").list().listed
    assert [harness.call("files").fetch(item, 4).data() for item in listed] == [
        data[4:] for data in NOTES.values()
    ]
    published = harness.call("tree").publish().files
    assert [(file.path, file.unit.unit) for file in published] == [("a.txt", 1), ("b.txt", 2)]


def test_checks_raise_by_field_warn_and_fail(harness: Harness) -> None:
    def check(**settings: object) -> object:
        return harness.call("tree").settings({"at": "check", **settings}).check()

    usage = harness.call("tree").settings({"at": "check", "raise": "field"}).check()
    assert [it.field for it in usage.errors] == ["/at"]
    warned = harness.call("tree").settings({"at": "check", "raise": "warning"}).check()
    assert ([*warned.errors], warned.warnings[0].field) == ([], "/at")
    for asked, status in (
        ("run", grpc.StatusCode.UNAVAILABLE),
        ("fault", grpc.StatusCode.INTERNAL),
        ("cancelled", grpc.StatusCode.CANCELLED),
    ):
        with pytest.raises(grpc.RpcError) as failed:
            check(**{"raise": asked})
        assert isinstance(failed.value, grpc.Call)
        assert failed.value.code() == status


def test_a_held_call_sends_progress_and_ends_when_cancelled(harness: Harness) -> None:
    running = harness.call("sync").settings({"hold_ms": 60_000}).start_sync()
    assert any(event.HasField("progress") for event in running)
    running.cancel()
    with pytest.raises(grpc.RpcError):
        for _ in running:
            pass
