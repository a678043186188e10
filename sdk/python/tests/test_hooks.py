"""Hooks before and after steps of other components."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from wharf import (
    After,
    Before,
    Cancelled,
    Claim,
    Contribution,
    Download,
    File,
    HookContext,
    Hooks,
    Importer,
    OperationError,
    Outcome,
    Plugin,
    Step,
    Unit,
    UsageError,
)
from wharf.serve._start_error import StartError
from wharf.testing import FakeHost, Harness
from wharf.v1 import plugin_pb2

DEADLINE = 20.0
NAMES = [f"{when}:build.target" for when in ("before", "after")]
MANIFEST = {
    "name": "try",
    "version": "0.1.0",
    "components": [
        {
            "id": "in",
            "role": "importer",
            "operations": [],
            "hooks": [{"on": name} for name in NAMES],
        }
    ],
}
KEY = "https://keys.example/key"


class Signing(Hooks):
    """Does what the subject says."""

    def __init__(self) -> None:
        self.seen: Step | None = None
        self.asked, self.ended = threading.Event(), threading.Event()

    def before(self, step: Step, context: HookContext) -> Before:
        match step.subject.get("do"):
            case "skip":
                return Before.skip()
            case "replace":
                return Before.replace(Unit("image", {"name": "x"}, files=[File("x", staged="x")]))
            case "refuse":
                raise UsageError("policy.target", "not this one", field="/target")
            case "unreachable":
                return Before.refuse(OperationError("source.unreachable", "nobody there"))
            case "bug":
                raise ValueError("a bug")
            case "wait":
                self._wait(context)
        key = context.download(Download(KEY)).staged or ""
        data = (context.work_dir / key).read_bytes()
        return Before.proceed().contribution(Contribution("file", "/etc/key", data, order=1))

    def _wait(self, context: HookContext) -> None:
        self.asked.set()
        try:
            while True:
                context.wait_cancelled(DEADLINE)
                context.acquire(Claim("lock", "x"))
        except Cancelled:
            self.ended.set()
            raise

    def after(self, step: Step, context: HookContext) -> After:
        self.seen = step
        if step.error is not None:
            raise OperationError("storage", "the rest cannot be removed")
        if step.outcome == "unchanged":
            return After.unchanged()
        return After.changed(Unit("image", {"name": step.subject["name"]}))


@pytest.fixture
def signing() -> Signing:
    return Signing()


@pytest.fixture
def harness(signing: Signing) -> Iterator[Harness]:
    plugin = Plugin(json.dumps(MANIFEST)).importer("in", Importer()).hooks(signing)
    with Harness(plugin, FakeHost().file(KEY, b"key")) as harness:
        yield harness


def test_a_hook_proceeds_and_gives_something_to_the_step(harness: Harness) -> None:
    answer = harness.hook("before:build.target")
    assert answer.decision == plugin_pb2.HOOK_DECISION_PROCEED
    (given,) = answer.contributions
    assert (given.kind, given.name, given.content, given.order) == ("file", "/etc/key", b"key", 1)


def test_a_hook_skips_replaces_and_refuses(harness: Harness) -> None:
    def decide(what: str) -> plugin_pb2.HookResponse:
        return harness.hook("before:build.target", {"do": what})

    assert decide("skip").decision == plugin_pb2.HOOK_DECISION_SKIP
    replaced = decide("replace")
    assert replaced.decision == plugin_pb2.HOOK_DECISION_REPLACE
    assert replaced.unit.files[0].staged == "x"
    for what, code in (("refuse", "policy.target"), ("unreachable", "source.unreachable")):
        refused = decide(what)
        assert (refused.decision, refused.error.code) == (plugin_pb2.HOOK_DECISION_REFUSE, code)


def test_a_hook_is_told_how_the_step_ended(harness: Harness, signing: Signing) -> None:
    changed = harness.hook("after:build.target", {"name": "x"}, outcome=Outcome.ADDED)
    assert (changed.unit.key, changed.HasField("error")) == ('{"name":"x"}', False)
    assert signing.seen is not None
    assert (signing.seen.name, signing.seen.outcome) == ("build.target", "added")
    same = harness.hook("after:build.target", outcome=Outcome.UNCHANGED)
    assert not same.HasField("unit")
    failed = harness.hook("after:build.target", error=UsageError("config", "bad"))
    assert (failed.error.code, signing.seen.outcome) == ("storage", "failed")
    assert (signing.seen.error and signing.seen.error.code) == "config"


class Marking(Hooks):
    """Tells what it is told, and notes on what was made that it saw it."""

    def before(self, step: Step, context: HookContext) -> Before:
        told = (step.instance.component, step.instance.settings["mark"], step.parameters["size"])
        text = " ".join([*map(str, told), staged(context, step.parent)])
        return Before.proceed().contribution(Contribution("file", "/told", text.encode()))

    def after(self, step: Step, context: HookContext) -> After:
        return After.changed(Unit("image", attributes={"made": staged(context, step.unit)}))


def staged(context: HookContext, unit: Unit | None) -> str:
    """The text of a unit's first file."""
    assert unit is not None
    return (context.work_dir / (unit.files[0].staged_path or "")).read_text()


def image(harness: Harness, text: str) -> Unit:
    """A unit whose only file is staged."""
    (harness.work_dir / f"{text}.img").write_text(text)
    return Unit("image", files=[File("disk.img", staged=f"{text}.img")])


def test_a_hook_sees_its_settings_its_parameters_and_the_units_of_the_step() -> None:
    plugin = Plugin(json.dumps(MANIFEST)).importer("in", Importer()).hooks(Marking())
    with Harness(plugin) as harness:
        told: dict[str, Any] = {
            "component": "in",
            "settings": {"mark": "set"},
            "parameters": {"size": 2},
            "parent": image(harness, "base"),
        }
        before = harness.hook("before:build.target", **told)
        assert before.contributions[0].content == b"in set 2 base"
        made = image(harness, "made")
        after = harness.hook("after:build.target", outcome=Outcome.ADDED, unit=made, **told)
    assert (after.unit.attributes, after.unit.key) == ('{"made":"made"}', "")
    assert not after.unit.files


def test_a_bug_in_a_hook_is_a_failed_call(harness: Harness) -> None:
    with pytest.raises(grpc.RpcError) as failed:
        harness.hook("before:build.target", {"do": "bug"})
    assert isinstance(failed.value, grpc.Call)
    assert failed.value.code() == grpc.StatusCode.INTERNAL


def test_the_end_of_the_plugin_ends_a_hook(harness: Harness, signing: Signing) -> None:
    codes: list[object] = []

    def call() -> None:
        try:
            harness.hook("before:build.target", {"do": "wait"})
        except grpc.RpcError as error:
            codes.append(error.code() if isinstance(error, grpc.Call) else error)

    caller = threading.Thread(target=call)
    caller.start()
    assert signing.asked.wait(DEADLINE)
    harness.stop()
    assert signing.ended.wait(DEADLINE)
    caller.join(DEADLINE)
    assert codes == [grpc.StatusCode.CANCELLED]


def test_hooks_agree_with_the_manifest() -> None:
    manifest = json.dumps(MANIFEST)
    with pytest.raises(StartError, match="names hooks, but the program registers none"):
        Plugin(manifest).importer("in", Importer()).check()
    bare = json.dumps({"name": "try", "version": "0.1.0", "components": []})
    with pytest.raises(StartError, match="names no hooks, but the program registers some"):
        Plugin(bare).hooks(Signing()).check()
    with Harness(Plugin(bare)) as harness:
        with pytest.raises(grpc.RpcError) as refused:
            harness.hook("before:sync")
        assert isinstance(refused.value, grpc.Call)
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
