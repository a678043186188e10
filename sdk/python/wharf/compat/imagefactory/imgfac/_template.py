"""A template as plugins know it: TDL, and the few things of it that the program itself reads."""

from __future__ import annotations

import uuid
from pathlib import Path
from xml.etree import ElementTree


class Template:
    """Made of XML, or of the path of a file that holds it. Nothing is fetched, by a UUID or an address."""

    def __init__(
        self,
        template: str | None = None,
        uuid: str | None = None,
        url: str | None = None,
        xml: str | None = None,
    ) -> None:
        text = xml if xml is not None else (template or "")
        if text and not text.lstrip().startswith("<"):
            text = Path(text).read_text("utf-8")
        self.identifier = _fresh()
        self.url = url
        self.xml = text
        self._root = ElementTree.fromstring(text) if text else None  # noqa: S314 - the host's own writing

    def _text(self, path: str) -> str | None:
        found = None if self._root is None else self._root.find(path)
        return None if found is None or found.text is None else found.text.strip()

    @property
    def name(self) -> str | None:
        """The template's name."""
        return self._text("name")

    @property
    def os_name(self) -> str | None:
        """The system's name."""
        return self._text("os/name")

    @property
    def os_version(self) -> str | None:
        """Its version."""
        return self._text("os/version")

    @property
    def os_arch(self) -> str | None:
        """Its architecture."""
        return self._text("os/arch")

    @property
    def install_type(self) -> str | None:
        """`url` or `iso`."""
        found = None if self._root is None else self._root.find("os/install")
        return None if found is None else found.get("type")

    @property
    def install_url(self) -> str | None:
        """Where its packages come from."""
        return self._text("os/install/url")

    @property
    def install_iso(self) -> str | None:
        """Where its medium comes from."""
        return self._text("os/install/iso")

    @property
    def install_location(self) -> str | None:
        """The one or the other."""
        return self.install_url or self.install_iso

    def __repr__(self) -> str:
        return self.xml


def _fresh() -> str:
    return str(uuid.uuid4())
