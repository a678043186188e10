"""Everything a wharf plugin in Python needs: roles to derive from, a context for each call, one `Plugin.serve`, and a
test harness without a process.

A plugin is a program that wharf starts. It announces a private socket with one line on standard output and answers
calls there, over mutual TLS, until it is told to stop. None of that is the author's business.

The way through: `wharf.role` says what an author writes; `Context` what a running call can tell the host and ask of it;
`Unit`, `File`, `PublishedFile` what goes over; `wharf.testing` how to try it all; `wharf.v1` holds the messages as they
are on the wire. A plugin never opens the host's database and never learns a path outside its job.
"""

# ruff: noqa: E402, I001
# Before anything else is imported: standard output belongs to the handshake, and libraries print while they are loaded.
from wharf import _output

_output.reserve_if_launched()

from wharf.context import Context, Outcome
from wharf.errors import (
    Cancelled,
    Error,
    ErrorClass,
    Fault,
    NotOffered,
    OperationError,
    Scope,
    UsageError,
)
from wharf.host import Download, Downloaded, Query, Signed, SignForm, State, StateScope
from wharf.model import (
    Attachment,
    Done,
    File,
    Instance,
    Keep,
    ListedItem,
    PublishedFile,
    Unit,
    UnitRef,
)
from wharf.role import (
    Action,
    BuildRequest,
    Builder,
    Check,
    Checked,
    CheckScope,
    Choice,
    ClientConfig,
    ClientConfigRequest,
    Component,
    Distributor,
    FetchRequest,
    Importer,
    LastSync,
    ListRequest,
    Migration,
    Migrations,
    Mode,
    Plan,
    Policy,
    Publication,
    PublishRequest,
    ReissueRequest,
    ResolveRequest,
    RunRequest,
    Stage,
    SyncRequest,
    TestMode,
    UnpublishRequest,
    UploadRequest,
)
from wharf.serve import Plugin

__all__ = [
    "Action",
    "Attachment",
    "BuildRequest",
    "Builder",
    "Cancelled",
    "Check",
    "CheckScope",
    "Checked",
    "Choice",
    "ClientConfig",
    "ClientConfigRequest",
    "Component",
    "Context",
    "Distributor",
    "Done",
    "Download",
    "Downloaded",
    "Error",
    "ErrorClass",
    "Fault",
    "FetchRequest",
    "File",
    "Importer",
    "Instance",
    "Keep",
    "LastSync",
    "ListRequest",
    "ListedItem",
    "Migration",
    "Migrations",
    "Mode",
    "NotOffered",
    "OperationError",
    "Outcome",
    "Plan",
    "Plugin",
    "Policy",
    "Publication",
    "PublishRequest",
    "PublishedFile",
    "Query",
    "ReissueRequest",
    "ResolveRequest",
    "RunRequest",
    "Scope",
    "SignForm",
    "Signed",
    "Stage",
    "State",
    "StateScope",
    "SyncRequest",
    "TestMode",
    "Unit",
    "UnitRef",
    "UnpublishRequest",
    "UploadRequest",
    "UsageError",
]
