"""What a running call can tell the host and ask of it.

A `Context` belongs to one call. What it tells goes through a bounded channel into the call's stream of events, in
batches, so a plugin that is faster than its host waits. What it asks goes to service `Host`. Every method raises
`Cancelled` once the call is cancelled or over. Several threads may use one context. A hook tells nothing but its answer,
so it is handed a `HookContext`.
"""

from wharf.context._ask import Ask
from wharf.context._declare import Declare
from wharf.context._publish import Publish
from wharf.context._tell import Outcome, Tell


class HookContext(Ask):
    """What a hook is handed besides the step: the job's facts, and all that a call may ask of the host."""


class Context(Tell, Declare, Publish, Ask):
    """What a method of a role is handed besides its request."""


__all__ = ["Context", "HookContext", "Outcome"]
