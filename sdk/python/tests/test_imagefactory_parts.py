"""The parts of which plugins of Image Factory see the world: templates, images, reservations, formats, contents."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wharf import Contribution
from wharf.compat.imagefactory import _content, _order, _unit
from wharf.compat.imagefactory._format import format_of, virtual_size
from wharf.compat.imagefactory._tdl import tdl
from wharf.compat.imagefactory.imgfac import (
    ApplicationConfiguration,
    BaseImage,
    Notification,
    NotificationCenter,
    PersistentImageManager,
    ProviderImage,
    ReservationManager,
    TargetImage,
    Template,
    provide,
)
from wharf.errors import Fault

WHOLE: dict[str, Any] = {
    "name": "web <1>",
    "description": "d",
    "os": {
        "name": "Fedora",
        "version": "39",
        "arch": "x86_64",
        "install": {"type": "iso", "iso": "http://m/x.iso", "sha256sum": "ab"},
        "extras": [{"type": "file", "source": "a", "destination": "b"}],
        "kernelparam": "quiet",
        "rootpw": "secret",
        "icicle": {"extra_command": "true"},
    },
    "packages": [
        {"name": "httpd", "repository": "r", "arguments": ["--x", "--y"]},
        {"name": "vim"},
    ],
    "repositories": [
        {"name": "r", "url": "http://r/", "signed": True, "persisted": False, "sslverify": True}
    ],
    "files": [{"name": "/etc/motd", "type": "base64", "content": "aGk="}],
    "commands": [
        {"name": "one", "type": "raw", "content": "echo 1 && true"},
        {"name": "two", "type": "raw", "content": "echo 2"},
    ],
    "precommands": [{"name": "pre", "type": "url", "content": "http://c/"}],
    "disk": {"size_bytes": 10 << 30},
}


@pytest.fixture(autouse=True)
def _fresh_singletons() -> Iterator[None]:
    """Each test has its own."""
    classes = (
        ApplicationConfiguration,
        NotificationCenter,
        PersistentImageManager,
        ReservationManager,
    )
    yield
    for one in classes:
        one._object = None
    ReservationManager.way = None


def test_a_template_is_written_as_tdl_with_all_that_it_says() -> None:
    template = Template(tdl(WHOLE))
    assert (template.name, template.os_name, template.os_version) == ("web <1>", "Fedora", "39")
    assert (template.os_arch, template.install_type) == ("x86_64", "iso")
    assert template.install_location == template.install_iso == "http://m/x.iso"
    assert template.install_url is None
    for part in (
        '<package name="httpd"><repository>r</repository><arguments>--x</arguments>',
        "<signed>yes</signed><persisted>no</persisted>",
        '<file name="/etc/motd" type="base64">aGk=</file>',
        '<command name="two" type="raw" position="2">echo 2</command>',
        "echo 1 &amp;&amp; true",
        "<disk><size>10 GiB</size></disk>",
        "<sha256sum>ab</sha256sum>",
        '<file source="a" destination="b" />',
        "<extra_command>true</extra_command>",
    ):
        assert part in template.xml, part


@pytest.mark.parametrize(
    ("size", "written"), [(1 << 30, "1 GiB"), (3 << 20, "3 MiB"), (1500, "2 KiB")]
)
def test_sizes_are_written_so_that_nothing_is_lost(size: int, written: str) -> None:
    assert f"<size>{written}</size>" in tdl({**WHOLE, "disk": {"size_bytes": size}})


class Observer:
    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def told(self, notification: Notification) -> None:
        self.seen.append((notification.message, dict(notification.user_info)))


def test_images_tell_what_changes_and_only_that() -> None:
    observer, image, other = Observer(), BaseImage(), BaseImage()
    centre = NotificationCenter()
    assert centre is NotificationCenter()
    centre.add_observer(observer, "told", sender=image)
    image.percent_complete = 150
    image.percent_complete = 100
    other.percent_complete = 5
    image.status = "BUILDING"
    image.status = "BUILDING"
    image.update(detail="Copying", error="a small one")
    assert observer.seen == [
        ("image.percentage", {"old_percentage": 0, "new_percentage": 100}),
        ("image.status", {"old_status": "NEW", "new_status": "BUILDING"}),
        ("image.status", {"activity": "Copying"}),
        ("image.status", {"activity": None}),
    ]
    assert image.status_detail == {"activity": "Copying", "error": "a small one"}
    image.update(percentage=0)
    assert (image.percent_complete, image.status_detail["error"]) == (0, "a small one")
    with pytest.raises(KeyError, match="COMPLETED"):
        image.status = "COMPLETED"
    centre.remove_observer(observer, "told", sender=image)
    image.status = "COMPLETE"
    assert len(observer.seen) == 5


def test_images_say_what_is_kept_of_them_and_never_credentials() -> None:
    assert {"identifier", "data", "icicle", "percent_complete"} <= BaseImage().metadata()
    assert {"base_image_id", "target"} <= TargetImage().metadata()
    kept = ProviderImage().metadata()
    assert "identifier_on_provider" in kept
    assert "credentials" not in kept


def test_the_manager_gives_images_files_and_finds_them(tmp_path: Path) -> None:
    ApplicationConfiguration().work_in(tmp_path, {"timeout": 7})
    assert ApplicationConfiguration().configuration["timeout"] == 7
    manager, image = PersistentImageManager.default_manager(), TargetImage("1")
    image.target = "vsphere"
    manager.add_image(image)
    assert image.data == str(tmp_path / "imagefactory/1.body")
    assert manager.image_with_id("1") is image
    assert manager.images_from_query({"target": "vsphere"}) == [image]
    assert manager.images_from_query({"target": "ec2"}) == []
    manager.save_image(image)
    manager.delete_image_with_id("1")
    assert (manager.image_with_id("1"), Path(image.data or "").exists()) == (None, False)


def test_reservations_count_in_the_process_where_the_host_offers_none(tmp_path: Path) -> None:
    ApplicationConfiguration({"minimum_free_space": 0, "max_concurrent_local_sessions": 1})
    manager = ReservationManager()
    file = str(tmp_path / "file")
    free = manager.available_space_for_path(file)
    assert manager.reserve_space_for_file(free // 2, file)
    assert not manager.reserve_space_for_file(free, str(tmp_path / "other"))
    assert manager.cancel_reservation_for_file(file)
    assert not manager.cancel_reservation_for_file(file, quiet=True)
    with pytest.raises(KeyError):
        manager.cancel_reservation_for_file(file)
    manager.enter_queue("local")
    entered = threading.Event()

    def second() -> None:
        manager.enter_queue("local")
        entered.set()

    thread = threading.Thread(target=second)
    thread.start()
    assert not entered.is_set()
    manager.exit_queue("local")
    assert entered.wait(20)
    thread.join()
    manager.exit_queue("local")
    with pytest.raises(ValueError, match="never entered"):
        manager.exit_queue("local")
    lock = manager.get_named_lock("appliance")
    with lock:
        assert manager.get_named_lock("appliance") is lock
        assert not lock.acquire(blocking=False)
    assert not lock.locked()
    assert manager.get_next_listen_port() != manager.get_next_listen_port()


class Refusing:
    def acquire(self, kind: str, name: str, amount: int, *, wait: bool) -> int | None:
        return None

    def release(self, grant: int) -> None:
        raise AssertionError("nothing was granted")


def test_what_the_host_does_not_grant_is_not_had() -> None:
    manager = ReservationManager()
    ReservationManager.way = Refusing()
    assert not manager.reserve_space_for_file(1, "/x")
    lock = manager.get_named_lock("x")
    assert not lock.acquire(blocking=False)
    assert not lock.locked()


def test_modules_are_where_plugins_look_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in {"imgfac", "zope"}]:
        monkeypatch.delitem(sys.modules, name)
    before = set(sys.modules)
    provide()
    namespace: dict[str, Any] = {}
    source = (
        "from imgfac.OSDelegate import OSDelegate\n"
        "from imgfac.TargetImage import TargetImage\n"
        "from zope.interface import implementer\n"
        "import zope.interface\n"
        "@zope.interface.implementer(OSDelegate)\n"
        "class Plugin(object): pass\n"
    )
    exec(source, namespace)  # noqa: S102 - what a plugin's file says
    assert namespace["TargetImage"] is TargetImage
    assert isinstance(sys.modules["imgfac"], ModuleType)
    for name in set(sys.modules) - before:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.parametrize(
    ("data", "name", "extension", "size"),
    [
        (b"QFI\xfb" + bytes(20) + (1 << 20).to_bytes(8, "big"), "qcow2", "qcow2", 1 << 20),
        (b"KDMV" + bytes(600), "vmdk", "vmdk", None),
        (bytes(1024) + b"conectix" + bytes(504), "vpc", "vhd", None),
        (b"\x1f\x8b" + bytes(9), "gzip", "tar.gz", None),
        (bytes(257) + b"ustar" + bytes(300), "tar", "tar", None),
        (b"anything", "raw", "img", 8),
    ],
)
def test_a_files_kind_is_known_by_its_bytes(
    tmp_path: Path, data: bytes, name: str, extension: str, size: int | None
) -> None:
    file = tmp_path / "x"
    file.write_bytes(data)
    kind = format_of(file)
    assert (kind.name, kind.extension, virtual_size(file, kind)) == (name, extension, size)


def test_an_image_outside_of_the_jobs_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "work/link").symlink_to(tmp_path / "secret")
    with pytest.raises(Fault, match="outside of the job's folder"):
        _unit.unit("image_base", "disk", {"data": str(tmp_path / "work/link")}, tmp_path / "work")


def test_contents_travel_both_ways() -> None:
    deposited = {
        "files": [{"name": "/a", "type": "base64", "file": "/w=="}],
        "commands": [{"name": "c", "type": "raw", "command": "true"}],
    }
    given = _content.contributions(deposited)
    assert given[-1] == Contribution("argument", "imagefactory.asked")
    assert _content.content(given) == deposited


def test_the_body_of_an_image_is_its_disk() -> None:
    assert _order.disk(["rootfs.tar.zst", "disk.qcow2", "template.json"]) == "disk.qcow2"
    assert _order.disk(["template.json", "web.vmdk"]) == "web.vmdk"
    assert _order.disk(["rootfs.tar.zst", "template.json"]) is None
    assert (_unit.safe("../a b"), _unit.safe("..")) == ("a-b", "image")
