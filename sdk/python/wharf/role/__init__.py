"""What an author writes: a class for each component, derived from one of four roles, and at most one of migrations.

Requests are plain data; what a running call can say and ask is the context's.
"""

from wharf.role.action import Action, RunRequest, TestMode
from wharf.role.builder import Builder, BuildRequest, Stage
from wharf.role.component import Check, Checked, CheckScope, Choice, Component, Plan
from wharf.role.distributor import (
    ClientConfig,
    ClientConfigRequest,
    Distributor,
    Publication,
    PublishRequest,
    ReissueRequest,
    UnpublishRequest,
)
from wharf.role.importer import (
    FetchRequest,
    Importer,
    LastSync,
    ListRequest,
    Mode,
    Policy,
    ResolveRequest,
    SyncRequest,
    UploadRequest,
)
from wharf.role.migrations import Migration, Migrations

__all__ = [
    "Action",
    "BuildRequest",
    "Builder",
    "Check",
    "CheckScope",
    "Checked",
    "Choice",
    "ClientConfig",
    "ClientConfigRequest",
    "Component",
    "Distributor",
    "FetchRequest",
    "Importer",
    "LastSync",
    "ListRequest",
    "Migration",
    "Migrations",
    "Mode",
    "Plan",
    "Policy",
    "Publication",
    "PublishRequest",
    "ReissueRequest",
    "ResolveRequest",
    "RunRequest",
    "Stage",
    "SyncRequest",
    "TestMode",
    "UnpublishRequest",
    "UploadRequest",
]
