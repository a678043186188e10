/**
 * Trying a plugin without a process and without a host.
 *
 * `Harness` runs the plugin's services inside the test, over a private socket: the real messages, the real codec, the
 * real cancellation, with a `FakeHost` in place of service `Host`. A test says what upstream and repository hold, makes a
 * call, and looks at what came of it:
 *
 * ```ts
 * const host = new FakeHost({ files: { "https://words.example/list": "one\ntwo\n" } });
 * await using harness = await Harness.start(plugin, host);
 * const run = await harness.call("importer", { settings: { url: "https://words.example/list" } }).sync();
 * assert.deepEqual(run.keys(), ['{"text":"one"}', '{"text":"two"}']);
 * ```
 *
 * Every run is held against the contract: batches within their limits, one closing event, units of declared types with
 * whole keys. A breach is an `AssertionError` that says which.
 *
 * @module
 */
export { Call, type Wishes } from "./call.js";
export { FakeHost, type Holdings } from "./fake.js";
export { Harness } from "./harness.js";
export type { HookWishes } from "./hook.js";
export { Run, Running } from "./run.js";
export { ErrorClass, ErrorScope } from "../gen/wharf/v1/model.js";
export { HookDecision } from "../gen/wharf/v1/plugin.js";
export { LogLevel, Outcome } from "../gen/wharf/v1/event.js";
