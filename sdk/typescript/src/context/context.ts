/**
 * What a running call can tell the host and ask of it.
 *
 * A context belongs to one call. What it tells goes through a bounded stream, in batches, so a plugin that is faster than
 * its host waits. What it asks goes to service `Host`. Everything throws `PluginError.cancelled()` once the call is
 * cancelled or over, so letting errors through is all that a plugin has to do.
 *
 * @module
 */
import { Ask } from "./ask.js";
import { Publish } from "./publish.js";

/** What a method of a role is handed besides its request. */
export class Context extends Publish {}

/** What a hook is handed besides the step: it asks as every call does, and tells nothing but its answer. */
export class HookContext extends Ask {}
