"""Enumerations of the contract."""

from __future__ import annotations

import enum


class WireEnum(enum.Enum):
    """A value that a newer host knows and this SDK does not counts as one that was not set."""

    @classmethod
    def _missing_(cls, value: object) -> WireEnum:  # noqa: ARG003
        return cls["UNSPECIFIED"]
