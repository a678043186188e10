"""kitovu's errors, as wharf's.

A usage error stops the run and is shown plainly; an operation error costs the smallest thing that failed; wrong
credentials are the user's to mend, and never tried again by themselves; anything else is a bug of the plugin.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wharf.errors import OperationError, Scope, UsageError


@contextmanager
def translated(
    utils: Any, code: str, *, scope: Scope = Scope.ATTACHMENT, item: str = ""
) -> Iterator[None]:
    """Raises wharf's error for what the plugin raises in the block. Utils: the module with kitovu's classes."""
    try:
        yield
    except utils.AuthenticationError as error:
        raise UsageError("unauthorized", _text(error)) from None
    except utils.PluginOperationError as error:
        where = Scope.ITEM if item else scope
        retryable = code == "source.unreachable"
        raise OperationError(
            code, _text(error), scope=where, item=item, retryable=retryable
        ) from error.__cause__
    except utils.UsageError as error:
        raise UsageError("usage.plugin", _text(error)) from None


def _text(error: Exception) -> str:
    return str(error) or f"the plugin raised {type(error).__name__}"
