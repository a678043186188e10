"""Passwords: what a plugin asks of the keyring is a secret of the host, which a setting names.

Nothing here keeps a secret longer than the plugin's question takes, and nothing logs one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from wharf.context import Context
from wharf.errors import Error, UsageError

_asking: ContextVar[tuple[Context, str, str] | None] = ContextVar("asking", default=None)


def setting(schema: Mapping[str, Any]) -> str:
    """The setting that names the secret: `password`, unless the plugin has one of that name itself."""
    return "keyring_password" if "password" in schema.get("properties", {}) else "password"


@contextmanager
def asking(context: Context, field: str, name: str) -> Iterator[None]:
    """Lets the plugin ask during a call. Field: the setting; name: what it holds, the secret's name, or nothing."""
    mark = _asking.set((context, field, name))
    try:
        yield
    finally:
        _asking.reset(mark)


def get_password(plugin: str, identifier: str, prompt: str) -> str:  # noqa: ARG001 - as plugins call it
    """The secret that the connection's setting names. The identifier does not matter: a connection has one account."""
    asked = _asking.get()
    if asked is None:
        raise UsageError("usage.password", f"plugin {plugin} asks for a password outside of a run")
    context, field, name = asked
    if not name:
        message = (
            f"plugin {plugin} wants a password ({prompt}), and no secret is named; "
            f"store one: wharf secret set NAME, and name it: --set {field}=NAME"
        )
        raise UsageError("config.password", message, field=f"/{field}")
    try:
        return context.secret(name).decode()
    except Error as error:
        if error.code != "internal.host.not_offered":
            raise
        message = f"plugin {plugin} wants the secret {name!r}, and this host keeps no secrets; use a newer one"
        raise UsageError("config.password", message, field=f"/{field}") from None
