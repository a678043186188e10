"""Plugins that know only Image Factory's interface run unchanged, each delegate in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from child import PLUGINS

from wharf import Contribution, File, Outcome, Stage, Unit
from wharf.compat.imagefactory._plugin import Delegates
from wharf.testing import FakeHost, Harness
from wharf.v1 import builder_pb2, model_pb2, plugin_pb2

DEADLINE = 30.0
SAMPLES = PLUGINS / "imagefactory_plugins"
TEMPLATE = {
    "name": "web server",
    "os": {
        "name": "Madeup",
        "version": "1",
        "arch": "x86_64",
        "install": {"type": "url", "url": "http://mirror.example/"},
    },
    "packages": [],
    "repositories": [],
    "files": [],
    "commands": [],
    "precommands": [],
    "disk": {"size_bytes": 1 << 30},
}
TARGETS = ["sample", "sample-no", "sample-made"]
HOOKS = [
    {"on": f"{when}:build.target", "filter": {"target": name}}
    for name in TARGETS
    for when in ("before", "after")
]
COMPONENTS = {
    "SampleOS": [{"id": "os", "role": "builder", "operations": ["build"], "hooks": []}],
    "SampleCloud": [
        {"id": "cloud", "role": "builder", "operations": ["build"], "hooks": HOOKS},
        {
            "id": "push",
            "role": "distributor",
            "operations": ["publish", "unpublish"],
            "targets": [[name] for name in TARGETS],
        },
    ],
}

Start = Callable[..., Harness]


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Start:
    """Starts a sample in a harness, with the manifest that the host derives of its `.info`."""

    def start(name: str, host: FakeHost | None = None) -> Harness:
        components = COMPONENTS[name]
        manifest = {"name": name.lower(), "version": "1.0.0", "components": components}
        delegates = Delegates(SAMPLES / name / f"{name}.info")
        harness = Harness(delegates.plugin(json.dumps(manifest)), host)
        request.addfinalizer(delegates.close)
        request.addfinalizer(harness.close)
        return harness

    return start


def base(harness: Harness, **parameters: object) -> Any:
    call = harness.call("os").settings(parameters).target("Madeup", "1", "x86_64")
    return call.template("application/vnd.wharf.template+json", json.dumps(TEMPLATE).encode())


def request(harness: Harness, call: Any) -> builder_pb2.BuildRequest:
    wire = builder_pb2.BuildRequest(
        context=harness.context(),
        instance=call._attachment.instance,
        stage=builder_pb2.STAGE_BASE,
        parameters=call._attachment.settings,
    )
    wire.MergeFrom(call._build)
    return wire


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not so():
        assert time.monotonic() < deadline, "it does not happen"
        threading.Event().wait(0.02)


def children() -> list[str]:
    """Processes of delegates that this one started."""
    own = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [pid for task in own for pid in task.read_text().split()]


def parent(harness: Harness, text: str = "a disk\n") -> Unit:
    folder = harness.work_dir / "parent"
    folder.mkdir(exist_ok=True)
    (folder / "disk.img").write_text(text)
    attributes = {"icicle": "<icicle/>"}
    files = [File("disk.img", staged="parent/disk.img"), File("template.json")]
    return Unit.existing("image_base", 7, {}, attributes, files=files)


def made(harness: Harness, run: Any) -> tuple[Unit, str]:
    assert run.done()
    (unit,) = run.units
    (file,) = unit.files
    staged = harness.work_dir / (file.staged_path or "")
    assert staged.is_file()
    assert not staged.is_symlink()
    return unit, staged.read_text("latin-1")


def test_an_os_plugin_makes_a_base_image_and_tells_how_far_it_is(start: Start) -> None:
    harness = start("SampleOS")
    run = base(harness).build(Stage.BASE)
    unit, text = made(harness, run)
    assert text == "base Madeup 1 x86_64\nfrom http://mirror.example/\ntimeout 3600\n"
    assert (unit.kind, unit.key_text, unit.files[0].path) == ("image_base", "{}", "disk.img")
    assert unit.read_attributes() == {
        "format": "raw",
        "virtual_size": len(text),
        "icicle": "<icicle><packages/></icicle>",
    }
    assert {"installing Madeup 1", "printed by a tool"} <= {log.text for log in run.logs}
    assert run.progress[-1].done == 100
    assert all(one.unit == "percent" for one in run.progress)


def test_reservations_are_the_hosts_and_given_back(start: Start) -> None:
    host = FakeHost()
    made(harness := start("SampleOS", host), base(harness).build(Stage.BASE))
    claims = [(name, getattr(request, "kind", "")) for name, request in host.asked]
    acquired = [kind for name, kind in claims if name == "Acquire"]
    assert acquired == ["space", "queue", "lock"]
    assert [name for name, _ in claims].count("Release") == 3


def test_without_reservations_of_the_host_those_of_the_process_count(start: Start) -> None:
    harness = start("SampleOS", FakeHost().without("Acquire", "Release"))
    settings = {"minimum_free_space": 0}
    call = base(harness)
    call._attachment.instance.settings = json.dumps(settings)
    made(harness, call.build(Stage.BASE))
    settings["minimum_free_space"] = 1 << 60
    call._attachment.instance.settings = json.dumps(settings)
    failed = call.build(Stage.BASE).failure()
    assert "no space for 1024 bytes" in failed.message


@pytest.mark.parametrize(
    ("flaw", "kind", "code", "says"),
    [
        ("refuse", model_pb2.ERROR_CLASS_OPERATION, "source.imagefactory", "no disk activity"),
        ("bug", model_pb2.ERROR_CLASS_FAULT, "internal.plugin", "nothing"),
        ("exit", model_pb2.ERROR_CLASS_FAULT, "internal.delegate", "status 3"),
        ("nothing", model_pb2.ERROR_CLASS_FAULT, "internal.plugin", "there is no image"),
    ],
)
def test_what_a_plugin_raises_has_its_class(
    start: Start, flaw: str, kind: int, code: str, says: str
) -> None:
    harness = start("SampleOS")
    failed = base(harness, flaw=flaw).build(Stage.BASE).failure()
    assert (getattr(failed, "class"), failed.code) == (kind, code)
    assert says in failed.message
    # The next one works: the process of the delegate is another one.
    made(harness, base(harness).build(Stage.BASE))


def test_a_cancel_has_the_delegate_abort_and_ends_its_process(start: Start, tmp_path: Path) -> None:
    harness, told = start("SampleOS"), tmp_path / "aborted"
    call = base(harness, flaw="hang", aborted_to=str(told))
    running = call.start("Builder", "Build", request(harness, call))
    for event in running:
        if event.log.text == "hanging":
            running.cancel()
            break
    until(told.exists)
    assert told.read_text() == "aborted"
    # Its process is gone with all that it started.
    until(lambda: not children())


def test_content_of_a_cloud_plugin_is_run_by_the_os_plugin(start: Start) -> None:
    harness = start("SampleOS")
    call = base(harness).target("sample").parent(parent(harness))
    call.contribution(Contribution("command", "greet", b"echo hello"))
    call.contribution(Contribution("file", "/etc/raw", b"\xff"))
    call.contribution(Contribution("package", "htop"))
    unit, text = made(harness, call.build(Stage.TARGET))
    assert text == "a disk\nfile /etc/raw: \xff\ncommand greet: echo hello\n"
    assert (unit.kind, unit.read_attributes()["icicle"]) == ("image_target", "<icicle/>")


def cloud(harness: Harness, target: str = "sample", **parameters: object) -> Any:
    call = harness.call("cloud").settings(parameters).target(target, "", "x86_64")
    call.template("application/vnd.wharf.template+json", json.dumps(TEMPLATE).encode())
    return call.parent(parent(harness))


def test_a_cloud_plugin_alone_is_asked_before_and_after(start: Start) -> None:
    harness = start("SampleCloud")
    run = cloud(harness).build(Stage.TARGET)
    unit, text = made(harness, run)
    assert text == "should web server, will, did for sample\na disk\n"
    assert unit.files[0].path == "web-server.img"
    assert unit.read_attributes()["properties"] == {"steps": 3}
    (warning,) = run.warnings
    assert "2 commands and files" in warning.text


def test_a_plugin_that_does_its_work_at_once_is_not_called_again(start: Start) -> None:
    harness = start("SampleCloud")
    _unit, text = made(harness, cloud(harness, "sample-made").build(Stage.TARGET))
    assert text == "made at once of a disk\n"
    failed = cloud(harness, "sample-no").build(Stage.TARGET).failure()
    assert (failed.code, "sample-no" in failed.message) == ("policy.imagefactory", True)


def asked(harness: Harness, name: str, target: str, **parameters: object) -> Any:
    """The answer of a hook of the building of a target."""
    base = parent(harness)
    subject = {"target": target, "name": "web server", "template": TEMPLATE}
    outcome = Outcome.ADDED if name.startswith("after") else None
    return harness.hook(name, subject, outcome=outcome, parameters=parameters, parent=base)


def test_hooks_ask_first_and_the_same_delegate_finishes(start: Start) -> None:
    harness = start("SampleCloud")
    answer = asked(harness, "before:build.target", "sample")
    assert answer.decision == plugin_pb2.HOOK_DECISION_PROCEED
    given = [(it.kind, it.name, it.content) for it in answer.contributions]
    assert given == [
        ("file", "/etc/raw", b"\xff"),
        ("command", "greet", b"echo hello"),
        ("argument", "imagefactory.asked", b""),
    ]
    call = cloud(harness)
    for wire in answer.contributions:
        call.contribution(Contribution.from_wire(wire))
    run = call.build(Stage.TARGET)
    _unit, text = made(harness, run)
    # Steps are in the memory of the delegate: it is the same object.
    assert text == "should web server, will, did for sample\na disk\n"
    assert not run.warnings
    ended = asked(harness, "after:build.target", "sample")
    assert not ended.HasField("unit")


def test_a_build_in_another_process_asks_nothing_twice(start: Start) -> None:
    first, second = start("SampleCloud"), start("SampleCloud")
    answer = asked(first, "before:build.target", "sample")
    call = cloud(second)
    for wire in answer.contributions:
        call.contribution(Contribution.from_wire(wire))
    _unit, text = made(second, call.build(Stage.TARGET))
    assert text == "did for sample\na disk\n"


def test_hooks_skip_replace_and_refuse(start: Start) -> None:
    harness = start("SampleCloud")
    name = "before:build.target"
    assert asked(harness, name, "sample-no").decision == plugin_pb2.HOOK_DECISION_SKIP
    replaced = asked(harness, name, "sample-made")
    assert replaced.decision == plugin_pb2.HOOK_DECISION_REPLACE
    (file,) = replaced.unit.files
    assert (harness.work_dir / file.staged).read_text() == "made at once of a disk\n"
    refused = asked(harness, name, "sample", forbidden="yes")
    assert refused.decision == plugin_pb2.HOOK_DECISION_REFUSE
    assert "forbidden parameters" in refused.error.message


def pushing(start: Start, folder: Path, password: bytes = b"<provider_credentials/>") -> Any:
    data = b"an image"
    digest = hashlib.sha256(data).hexdigest()
    files = [File("web.img", size=len(data), sha256=digest)]
    key = {"name": "web", "target": "sample", "architecture": "x86_64", "build": 1}
    host = FakeHost().file("held", data).unit(Unit("image_target", key, files=files))
    harness = start("SampleCloud", host.secret("account", password))
    provider = json.dumps({"folder": str(folder)})
    settings = {"provider": provider, "credentials": "account", "name": "first"}
    return harness.call("push").settings(settings)


def test_an_image_is_pushed_and_deleted_again(start: Start, tmp_path: Path) -> None:
    call = pushing(start, tmp_path)
    run = call.publish()
    assert run.done().identifier == "sample-first"
    assert json.loads(run.done().outputs) == {"account": "account"}
    assert (tmp_path / "sample-first").read_bytes() == b"an image"
    for _again in range(2):
        assert call.unpublish("sample-first").done()
    assert list(tmp_path.iterdir()) == []


def test_a_provider_that_refuses_is_told_without_the_credentials(
    start: Start, tmp_path: Path
) -> None:
    run = pushing(start, tmp_path, b"hunter2").publish()
    assert run.failure().message == "the provider does not know you"
    assert "hunter2" not in str(run)


def test_a_snapshot_is_a_unit_without_a_file(start: Start) -> None:
    call = cloud(start("SampleCloud")).provider({"provider": "{}"})
    run = call.build(Stage.SNAPSHOT)
    assert run.done()
    (unit,) = run.units
    identifier = unit.read_attributes()["identifier"]
    assert (unit.kind, identifier, unit.files) == ("image_provider", "snapshot-of-web server", [])


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "there is no package to import"),
        ({"__init__.py": "x = 1\n"}, "has no delegate_class"),
        ({"__init__.py": "import oz\n"}, "cannot be imported: No module named 'oz'"),
    ],
)
def test_a_package_that_cannot_be_used_says_why(
    tmp_path: Path, request: pytest.FixtureRequest, files: dict[str, str], says: str
) -> None:
    folder = tmp_path / "Bad"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    manifest = {"name": "bad", "version": "1.0.0", "components": COMPONENTS["SampleOS"]}
    delegates = Delegates(folder / "Bad.info")
    request.addfinalizer(delegates.close)
    with Harness(delegates.plugin(json.dumps(manifest))) as harness:
        failed = base(harness).build(Stage.BASE).failure()
    assert (failed.code, getattr(failed, "class")) == (
        "config.plugin",
        model_pb2.ERROR_CLASS_USAGE,
    )
    assert says in failed.message
