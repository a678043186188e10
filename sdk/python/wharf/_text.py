"""Texts of unknown origin, such as an exception's, as messages can hold them."""

from __future__ import annotations

LIMIT = 16 << 10
"""Bytes that a text for people may have."""


def fit(text: str) -> str:
    """The text, cut to its limit, with what UTF-8 does not have written out."""
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= LIMIT:
        return data.decode()
    return data[:LIMIT].decode("utf-8", "ignore") + " ..."
