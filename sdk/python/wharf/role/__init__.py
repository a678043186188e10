"""What an author writes: a class for each component, derived from one of four roles, at most one of migrations, and
at most one of hooks.

Requests are plain data; what a running call can say and ask is the context's.
"""

from wharf.role.action import Action, RunRequest, TestMode
from wharf.role.builder import Builder, BuildRequest, Stage, Target
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
from wharf.role.hooks import After, Before, Hooks, Step
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
    "After",
    "Before",
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
    "Hooks",
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
    "Step",
    "SyncRequest",
    "Target",
    "TestMode",
    "UnpublishRequest",
    "UploadRequest",
]
