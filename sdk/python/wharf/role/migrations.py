"""Changing stored data when a newer version of the plugin needs that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wharf.errors import NotOffered
from wharf.model import Done

if TYPE_CHECKING:
    from wharf.context import Context


@dataclass(frozen=True)
class Migration:
    """Which migration to run."""

    number: int
    """Its number in the manifest."""
    name: str
    """What the manifest calls it."""
    dry_run: bool
    """wharf will store nothing; whatever the plugin changes elsewhere must stay too."""


class Migrations:
    """Runs the migrations that the manifest names.

    wharf calls it once for each number that was not run yet, in order. `Context.units` with an empty `Query` gives all
    units of the plugin's types, whoever holds them, as they were before the migration; `Context.unit` sends one back
    changed, with the id it came with. What is left empty stays as it is, and so does every unit that is not sent.
    Nothing of it counts unless the method ends well: after an error, a crash or a cancel the same number is run again.
    """

    def migrate(self, migration: Migration, context: Context) -> Done:
        """Runs one. Units that are as they should be already are no error: an empty store is met too."""
        raise NotOffered("migrate")
