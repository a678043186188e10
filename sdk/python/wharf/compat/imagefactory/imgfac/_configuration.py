"""The configuration that plugins read: what Image Factory's file says by default, and what this build says instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wharf.compat.imagefactory.imgfac._singleton import Singleton

DEFAULTS: dict[str, Any] = {
    "debug": False,
    "ec2_ami_type": "s3",
    "image_manager": "file",
    "max_concurrent_ec2_sessions": 1,
    "max_concurrent_local_sessions": 2,
    "minimum_free_space": 1 << 30,
    "openstack_image_format": "qcow2",
    "output": "log",
    "rhevm_image_format": "qcow2",
    "timeout": 3600,
    "verbose": False,
    "vsphere_vmdk_format": "standard",
}


class ApplicationConfiguration(Singleton):
    """One dictionary, `configuration`."""

    configuration: dict[str, Any]

    def _begin(self, configuration: Mapping[str, Any] | None = None) -> None:
        self.configuration = {**DEFAULTS, **(configuration or {})}

    def work_in(self, folder: Path, settings: Mapping[str, Any]) -> None:
        """Everything is kept below this folder; settings of the user go before what is usual."""
        places = {"imgdir": folder / "imagefactory", "tmpdir": folder / "tmp"}
        for place in places.values():
            place.mkdir(parents=True, exist_ok=True)
        own = {name: str(place) for name, place in places.items()}
        own["image_manager_args"] = {"storage_path": own["imgdir"]}  # type: ignore[assignment]
        self.configuration = {**DEFAULTS, **settings, **own}
