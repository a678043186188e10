"""A plugin that knows only kitovu's interface runs unchanged, as a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import IO

import pytest
from child import DEADLINE, PLUGINS, Child

from wharf import File, Unit
from wharf.compat.kitovu import _folder, _provide
from wharf.compat.kitovu._importer import KitovuImporter
from wharf.compat.kitovu._interface import AbstractSyncPlugin
from wharf.errors import UsageError
from wharf.serve import Plugin
from wharf.testing import FakeHost, Harness
from wharf.v1 import event_pb2, importer_pb2, model_pb2

NAME = "my-sample"
TIME = 1_500_000_000


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the sample is installed, as pip does it."""
    site = tmp_path_factory.mktemp("site")
    shutil.copy(PLUGINS / "kitovu_sample.py", site)
    info = site / "kitovu_sample-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kitovu-sample\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        f"[{_folder.GROUP}]\n{NAME} = kitovu_sample:SamplePlugin\n"
    )
    sys.path.insert(0, str(site))
    yield site
    sys.path.remove(str(site))


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """What the sample takes for its server."""
    root = tmp_path / "server"
    for path, text in {
        "course/a.txt": "first",
        "course/deep/b.html": "<p>page</p>",
        "other/c.txt": "elsewhere",
    }.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, (TIME, TIME))
    return root


Start = Callable[..., Harness]


@pytest.fixture
def start(installed: Path, request: pytest.FixtureRequest) -> Start:
    """Starts the sample in a harness, once it is written as a plugin of wharf."""

    def start(host: FakeHost | None = None) -> Harness:
        utils = _provide.provide()
        entry = _folder.entry_point(NAME)
        importer = KitovuImporter(entry.load(), utils, _folder.type_id(NAME))
        plugin = Plugin(json.dumps(_folder.manifest(entry))).types(json.dumps(_folder.types(entry)))
        harness = Harness(plugin.importer("importer", importer), host)
        request.addfinalizer(importer.close)
        request.addfinalizer(harness.close)
        return harness

    return start


def settings(server: Path, **more: object) -> dict[str, object]:
    return {"root": str(server), "remote_dir": "/course", **more}


def names(listed: list[event_pb2.ListedItem]) -> list[str]:
    return [json.loads(item.unit.key)["relative_path"] for item in listed]


def test_it_is_listed_with_its_digests_as_revisions(start: Start, server: Path) -> None:
    run = start().call("importer").settings(settings(server)).list()
    assert run.done()
    assert names(run.listed) == ["a.txt", "deep/b.html"]
    assert [item.revision for item in run.listed] == [f"5-{TIME}", f"0-{TIME}"]
    assert run.listed[0].unit.type == "my_sample_file"


def test_a_fetched_file_is_staged_with_its_name_and_its_time(start: Start, server: Path) -> None:
    harness = start()
    call = harness.call("importer").settings(settings(server))
    for item, data in zip(call.list().listed, (b"first", b"<p>page</p>"), strict=True):
        run = call.fetch(item)
        assert run.done()
        staged = harness.work_dir / run.contents[0].staged
        assert (staged.read_bytes(), int(staged.stat().st_mtime)) == (data, TIME)
        # Calls of one job share a count, so none of them counts.
        assert [(it.done, it.sub_done) for it in run.progress] == [(0, len(data))]


def test_a_process_that_did_not_list_lists_before_it_fetches(start: Start, server: Path) -> None:
    listed = start().call("importer").settings(settings(server)).list().listed
    assert start().call("importer").settings(settings(server)).fetch(listed[0]).done()


def test_a_password_is_the_secret_that_a_setting_names(start: Start, server: Path) -> None:
    host = FakeHost().secret("school", b"open sesame").secret("wrong", b"x")
    call = start(host).call("importer")
    good = call.settings(settings(server, login="me", password="school")).list()  # noqa: S106
    assert len(good.listed) == 2
    as_object = call.settings(settings(server, login="me", password={"secret": "school"})).list()
    assert len(as_object.listed) == 2
    wrong = call.settings(settings(server, login="me", password="wrong")).list().failure()  # noqa: S106
    assert (getattr(wrong, "class"), wrong.code) == (model_pb2.ERROR_CLASS_USAGE, "unauthorized")
    assert wrong.message == "wrong password for me"


def test_a_password_that_nobody_named_is_asked_for(start: Start, server: Path) -> None:
    failed = start().call("importer").settings(settings(server, login="me")).list().failure()
    assert (failed.code, failed.field) == ("config.password", "/password")
    assert "for me" in failed.message
    assert "wharf secret set" in failed.message


def test_a_host_without_secrets_is_a_usage_error_that_names_the_secret(
    start: Start, server: Path
) -> None:
    harness = start(FakeHost().without("GetSecret"))
    given = settings(server, login="me", password="school")  # noqa: S106
    failed = harness.call("importer").settings(given).list().failure()
    assert getattr(failed, "class") == model_pb2.ERROR_CLASS_USAGE
    assert (failed.code, failed.field) == ("config.password", "/password")
    assert "'school'" in failed.message


def test_a_dead_server_and_a_missing_folder_cost_the_attachment(start: Start, server: Path) -> None:
    call = start().call("importer")
    dead = call.settings(settings(server / "none")).list().failure()
    assert (dead.code, dead.scope) == ("source.unreachable", model_pb2.ERROR_SCOPE_ATTACHMENT)
    assert dead.retryable
    missing = call.settings(settings(server, remote_dir="/none")).list().failure()
    assert (missing.code, missing.scope) == ("source.folder", model_pb2.ERROR_SCOPE_ATTACHMENT)
    assert missing.message == "no folder /none"


def test_usage_errors_stop_the_run_and_bugs_are_faults(start: Start, server: Path) -> None:
    call = start().call("importer")
    usage = call.settings(settings(server, trouble="usage")).list().failure()
    assert getattr(usage, "class") == model_pb2.ERROR_CLASS_USAGE
    assert usage.message == "the root is none"
    bug = call.settings(settings(server, trouble="bug")).list().failure()
    assert getattr(bug, "class") == model_pb2.ERROR_CLASS_FAULT


def test_a_file_that_vanishes_after_the_listing_costs_itself(start: Start, server: Path) -> None:
    call = start().call("importer").settings(settings(server))
    listed = call.list().listed
    (server / "course/a.txt").unlink()
    gone = call.fetch(listed[0]).failure()
    assert (gone.scope, gone.item, gone.message) == (
        model_pb2.ERROR_SCOPE_ITEM,
        "a.txt",
        "a.txt vanished",
    )
    assert call.fetch(listed[1]).done()


def test_a_file_that_changes_after_the_listing_or_comes_short_is_not_taken(
    start: Start, server: Path
) -> None:
    harness = start()
    call = harness.call("importer").settings(settings(server))
    listed = call.list().listed
    (server / "course/a.txt").write_text("changed")
    changed = call.fetch(listed[0]).failure()
    assert (changed.code, changed.item, changed.retryable) == ("content.changed", "a.txt", True)
    short = harness.call("importer").settings(settings(server, trouble="short"))
    assert short.fetch(short.list().listed[0]).failure().code == "content.changed"
    assert not [file for file in harness.work_dir.rglob("*") if file.is_file()]


def test_a_file_without_a_digest_is_listed_with_a_warning(start: Start, server: Path) -> None:
    call = start().call("importer").settings(settings(server, trouble="digest"))
    run = call.list()
    assert names(run.listed) == ["a.txt", "deep/b.html"]
    assert [(it.item, it.text) for it in run.warnings] == [("a.txt", "no attributes of a.txt")]
    again = call.list().listed[0].revision
    assert again != run.listed[0].revision
    assert call.fetch(run.listed[0]).done()


def test_what_a_plugin_warns_of_is_told_to_the_user(start: Start, server: Path) -> None:
    call = start().call("importer").settings(settings(server, trouble="warning"))
    run = call.fetch(call.list().listed[0])
    assert [it.text for it in run.warnings] == ["a.txt is odd"]


def test_names_that_wharf_does_not_take_are_failed_items(start: Start, server: Path) -> None:
    (server / "course/back\\slash").write_text("x")
    (Path(os.fsdecode(os.fsencode(server / "course") + b"/latin-\xe4"))).write_text("x")
    run = start().call("importer").settings(settings(server)).list()
    assert names(run.listed) == ["a.txt", "deep/b.html"]
    assert [(it.key, it.error.code) for it in run.items] == [
        ("/course/back\\slash", "content.path"),
        ("/course/latin-\\udce4", "content.path"),
    ]


def test_the_plugin_disconnects_before_it_connects_anew(start: Start, server: Path) -> None:
    call = start().call("importer").settings(settings(server))
    call.list().done()
    assert not (server.parent / "disconnected").exists()
    call.list().done()
    assert (server.parent / "disconnected").exists()


class Vast(AbstractSyncPlugin):
    """A listing that no connection holds at once."""

    def connection_schema(self) -> object:
        return {"type": "object"}

    def configure(self, info: dict[str, object]) -> None:
        self.hang = info.get("hang")

    def connect(self) -> None:
        pass

    def disconnect(self) -> None:
        pass

    def list_path(self, path: PurePath) -> Iterable[PurePath]:
        return (path / f"{number:0200}" for number in range(20_000))

    def create_remote_digest(self, path: PurePath) -> str:
        return "1"

    def create_local_digest(self, path: Path) -> str:
        return "1"

    def retrieve_file(self, path: PurePath, fileobj: IO[bytes]) -> None:
        if self.hang:
            HANGING.set()
            RELEASED.wait(DEADLINE)
        fileobj.write(b"bytes")


HANGING, RELEASED = threading.Event(), threading.Event()


@pytest.fixture
def vast() -> Iterator[Harness]:
    manifest = {
        "name": "vast",
        "version": "0.1.0",
        "components": [{"id": "importer", "role": "importer"}],
    }
    HANGING.clear()
    RELEASED.clear()
    importer = KitovuImporter(Vast, _provide.provide(), "file")
    plugin = Plugin(json.dumps(manifest)).importer("importer", importer).grace(0.1)
    with Harness(plugin) as harness:
        yield harness
        RELEASED.set()
    importer.close()


def item(number: int) -> event_pb2.ListedItem:
    name = f"{number:0200}"
    unit = Unit(
        "file", {"relative_path": name}, {"remote_path": f"/all/{name}"}, files=[File(name)]
    )
    return event_pb2.ListedItem(unit=unit.wire, revision="1")


def test_a_host_that_fetches_before_it_reads_the_whole_listing_gets_both(vast: Harness) -> None:
    call = vast.call("importer").settings({"remote_dir": "/all"})
    request = importer_pb2.ListRequest(context=vast.context())
    request.attachment.instance.component = "importer"
    request.attachment.settings = '{"remote_dir": "/all"}'
    listing = call.start("Importer", "List", request)
    assert next(event for event in listing if event.listed.items)
    assert call.fetch(item(7)).done()
    assert listing.finish().done()


def test_a_method_that_never_returns_is_told_to_those_behind_it(vast: Harness) -> None:
    hanging = importer_pb2.FetchRequest(context=vast.context(), unit=item(1).unit, revision="1")
    hanging.attachment.instance.component = "importer"
    hanging.attachment.settings = '{"remote_dir": "/all", "hang": true}'
    call = vast.call("importer")
    running = call.start("Importer", "Fetch", hanging)
    assert HANGING.wait(DEADLINE)
    running.cancel()
    behind = call.settings({"remote_dir": "/all", "hang": True}).fetch(item(2)).failure()
    assert behind.code == "internal.stuck"


def test_where_kitovu_is_installed_its_own_classes_count(tmp_path: Path) -> None:
    package = tmp_path / "kitovu"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "utils.py").write_text(
        "class UsageError(Exception): pass\ndef get_password(*_): pass\n"
    )
    program = (
        "from wharf.compat.kitovu import _password, _provide\n"
        "utils = _provide.provide()\n"
        "import kitovu.utils\n"
        "assert utils is kitovu.utils and utils.UsageError.__module__ == 'kitovu.utils'\n"
        "assert utils.get_password is _password.get_password\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[1]}"}
    subprocess.run([sys.executable, "-c", program], env=environment, timeout=DEADLINE, check=True)


def test_a_name_that_nobody_registered_is_told(installed: Path) -> None:
    with pytest.raises(UsageError, match="there is: my-sample"):
        _folder.entry_point("none")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1.2", "1.2.0"), ("0.1.0", "0.1.0"), ("2018.05.1b2", "2018.5.1"), (None, "0.1.0")],
)
def test_versions_become_semantic_ones(text: str | None, expected: str) -> None:
    assert _folder.version(text) == expected


def test_names_become_those_of_wharf() -> None:
    names = [_folder.wharf_name(it) for it in ("smb", "My_Plugin", "3com", "--x--")]
    assert names == ["smb", "my-plugin", "kitovu-3com", "x"]


def test_settings_named_like_wharfs_own_are_refused() -> None:
    from wharf.compat.kitovu import _settings

    with pytest.raises(UsageError, match="ignore, policy"):
        _settings.connection_schema({"properties": {"policy": {}, "ignore": {}}})
    both = _settings.connection_schema({"properties": {"password": {"type": "string"}}})
    assert both["properties"]["keyring_password"]["format"] == "secret"


def test_a_written_folder_is_a_plugin_that_runs(
    installed: Path, server: Path, tmp_path: Path
) -> None:
    """From an empty folder to fetched bytes, by the command and the script that it wrote."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "wharf.compat.kitovu"]
    listed = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=DEADLINE, check=True
    )
    assert listed.stdout == f"{NAME}\tkitovu_sample:SamplePlugin\n"
    subprocess.run(
        [*command, NAME, "--write", str(tmp_path / "plugins")],
        env=environment,
        capture_output=True,
        timeout=DEADLINE,
        check=True,
    )
    own = tmp_path / "plugins/my-sample"
    manifest = json.loads((own / "plugin.json").read_text())
    assert (manifest["name"], manifest["version"]) == (NAME, "1.2.0")
    component = manifest["components"][0]
    instance, attachment = component["instance_schema"], component["attachment_schema"]
    assert (instance["required"], attachment["required"]) == (["root"], ["remote_dir"])
    assert set(attachment["properties"]) == {*instance["properties"], "remote_dir"}
    assert "$schema" not in instance
    given = {"PYTHONPATH": str(installed)}
    with Child(str(own / "bin/wharf-plugin-my-sample"), environment=given) as child:
        text = json.dumps(settings(server))
        items = [item for event in child.listed(text) for item in event.listed.items]
        assert names(items) == ["a.txt", "deep/b.html"]
        unit = Unit.from_wire(items[0].unit)
        assert isinstance(unit.files[0], File)
        child.shutdown()
        assert child.end()[0] == 0
    assert (server.parent / "disconnected").exists()
