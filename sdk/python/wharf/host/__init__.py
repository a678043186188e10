"""Service `Host`, as a plugin sees it: what a running call may ask.

Authors reach it through the methods of the context; the functions here take a `Way`, one call's way to the host.
"""

from wharf.host._artifact import has_artifacts, open_artifact, put_artifact
from wharf.host._dial import Dialer, Way, encoded
from wharf.host._download import Download, Downloaded, download, download_all
from wharf.host._jobs import (
    Claim,
    JobEnd,
    acquire,
    contribute,
    emit,
    release,
    spawn_job,
    wait_job,
    watch_items,
)
from wharf.host._query import Query, units
from wharf.host._sign import Signed, SignForm, sign
from wharf.host._state import State, StateScope, get_state, put_state
from wharf.host._units import SavedUnit, get_units, save_units

__all__ = [
    "Claim",
    "Dialer",
    "Download",
    "Downloaded",
    "JobEnd",
    "Query",
    "SavedUnit",
    "SignForm",
    "Signed",
    "State",
    "StateScope",
    "Way",
    "acquire",
    "contribute",
    "download",
    "download_all",
    "emit",
    "encoded",
    "get_state",
    "get_units",
    "has_artifacts",
    "open_artifact",
    "put_artifact",
    "put_state",
    "release",
    "save_units",
    "sign",
    "spawn_job",
    "units",
    "wait_job",
    "watch_items",
]
