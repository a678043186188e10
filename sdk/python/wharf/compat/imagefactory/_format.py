"""What kind of file an image is, by its first bytes: plugins of Image Factory do not say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_HEAD_BYTES = 0x8006
_VHD_FOOT_BYTES = 512


@dataclass(frozen=True)
class Format:
    """A kind of file."""

    name: str
    extension: str
    media_type: str


_UNKNOWN = Format("raw", "img", "application/octet-stream")
_FORMATS = (
    (0, b"QFI\xfb", Format("qcow2", "qcow2", "application/x-qemu-disk")),
    (0, b"KDMV", Format("vmdk", "vmdk", "application/x-vmdk")),
    (0, b"# Disk Descriptor", Format("vmdk", "vmdk", "application/x-vmdk")),
    (0, b"conectix", Format("vpc", "vhd", "application/x-vhd")),
    (0, b"vhdxfile", Format("vhdx", "vhdx", "application/x-vhdx")),
    (0x40, b"\x7f\x10\xda\xbe", Format("vdi", "vdi", "application/x-vdi")),
    (0, b"\x1f\x8b", Format("gzip", "tar.gz", "application/gzip")),
    (0, b"\xfd7zXZ\x00", Format("xz", "tar.xz", "application/x-xz")),
    (0, b"BZh", Format("bzip2", "tar.bz2", "application/x-bzip2")),
    (0, b"PK\x03\x04", Format("zip", "zip", "application/zip")),
    (0, b"hsqs", Format("squashfs", "squashfs", "application/vnd.squashfs")),
    (257, b"ustar", Format("tar", "tar", "application/x-tar")),
    (0x8001, b"CD001", Format("iso", "iso", "application/x-iso9660-image")),
)
_FIXED_VHD = Format("vpc", "vhd", "application/x-vhd")


def format_of(file: Path) -> Format:
    """The kind of this file; what is not known counts as a raw disk."""
    with file.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
        opened.seek(max(0, file.stat().st_size - _VHD_FOOT_BYTES))
        foot = opened.read(_VHD_FOOT_BYTES)
    for offset, magic, kind in _FORMATS:
        if head[offset : offset + len(magic)] == magic:
            return kind
    return _FIXED_VHD if foot.startswith(b"conectix") else _UNKNOWN


def virtual_size(file: Path, kind: Format) -> int | None:
    """The size of the disk inside, where it can be read without a tool."""
    if kind.name == "raw":
        return file.stat().st_size
    if kind.name == "qcow2":
        # Source: the format's own specification, docs/interop/qcow2 of QEMU: bytes 24 to 31.
        with file.open("rb") as opened:
            return int.from_bytes(opened.read(32)[24:], "big")
    return None
