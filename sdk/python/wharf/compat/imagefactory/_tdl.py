"""A template of wharf, its canonical JSON, written as TDL: what plugins of Image Factory read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement


def tdl(template: dict[str, Any]) -> str:
    """The XML."""
    root = Element("template", version="1.0")
    _texts(root, template, ("name", "description"))
    _os(SubElement(root, "os"), template["os"])
    _packages(root, template.get("packages", ()))
    _repositories(root, template.get("repositories", ()))
    _contents(root, "files", "file", template.get("files", ()))
    _contents(root, "precommands", "command", template.get("precommands", ()))
    _contents(root, "commands", "command", template.get("commands", ()))
    disk = template.get("disk")
    if disk:
        SubElement(SubElement(root, "disk"), "size").text = _size(int(disk["size_bytes"]))
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def _texts(parent: Element, values: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        if values.get(name) is not None:
            SubElement(parent, name).text = str(values[name])


def _os(element: Element, os: dict[str, Any]) -> None:
    _texts(element, os, ("name", "version", "arch"))
    install = os["install"]
    place = SubElement(element, "install", type=install["type"])
    _texts(place, install, (install["type"], "md5sum", "sha1sum", "sha256sum"))
    if os.get("extras"):
        extras = SubElement(place, "extras")
        for extra in os["extras"]:
            where = {"source": extra["source"], "destination": extra["destination"]}
            SubElement(extras, extra["type"], where)
    _texts(element, os, ("kernelparam", "rootpw", "key"))
    if os.get("icicle"):
        _texts(SubElement(element, "icicle"), os["icicle"], ("extra_command",))


def _packages(root: Element, packages: Iterable[dict[str, Any]]) -> None:
    element = SubElement(root, "packages")
    for package in packages:
        one = SubElement(element, "package", name=package["name"])
        _texts(one, package, ("repository", "file"))
        for argument in package.get("arguments", ()):
            SubElement(one, "arguments").text = argument


def _repositories(root: Element, repositories: Iterable[dict[str, Any]]) -> None:
    element = SubElement(root, "repositories")
    for repository in repositories:
        one = SubElement(element, "repository", name=repository["name"])
        _texts(one, repository, ("url",))
        for name in ("signed", "persisted", "sslverify"):
            if name in repository:
                SubElement(one, name).text = "yes" if repository[name] else "no"


def _contents(root: Element, group: str, kind: str, entries: Iterable[dict[str, Any]]) -> None:
    element = SubElement(root, group)
    for position, entry in enumerate(entries, 1):
        one = SubElement(element, kind, name=entry["name"], type=entry.get("type", "raw"))
        if kind == "command":
            one.set("position", str(position))
        one.text = entry["content"]


def _size(size: int) -> str:
    """In the largest unit that says it exactly; a started kibibyte is a whole one."""
    for unit, bytes_of in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if size % bytes_of == 0:
            return f"{size // bytes_of} {unit}"
    return f"{-(-size // 1024)} KiB"
