"""Service `Host`, as a plugin sees it: what a running call may ask.

Authors reach it through the methods of the context; the functions here take a `Way`, one call's way to the host.
"""

from wharf.host._artifact import has_artifacts, open_artifact, put_artifact
from wharf.host._dial import Dialer, Way, encoded
from wharf.host._download import Download, Downloaded, download, download_all
from wharf.host._query import Query, units
from wharf.host._sign import Signed, SignForm, sign
from wharf.host._state import State, StateScope, get_state, put_state

__all__ = [
    "Dialer",
    "Download",
    "Downloaded",
    "Query",
    "SignForm",
    "Signed",
    "State",
    "StateScope",
    "Way",
    "download",
    "download_all",
    "encoded",
    "get_state",
    "has_artifacts",
    "open_artifact",
    "put_artifact",
    "put_state",
    "sign",
    "units",
]
