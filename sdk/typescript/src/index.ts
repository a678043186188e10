/**
 * Everything a wharf plugin in TypeScript needs: roles, a context for each call, one `Plugin.serve`. The test harness is
 * `wharf-sdk/testing`.
 *
 * A plugin is a program that wharf starts. It announces a private socket with one line on standard output and answers
 * calls there, over mutual TLS, until it is told to stop. None of that is the author's business:
 *
 * ```ts
 * import { type Context, Done, type Importer, Plugin } from "wharf-sdk";
 *
 * const greetings: Importer = {
 *   async sync(_request, context: Context) {
 *     await context.unit({ type: "greeting", key: { text: "hello" } });
 *     return Done.changed({ announced: 1 });
 *   },
 * };
 *
 * await Plugin.load(new URL("..", import.meta.url)).importer("importer", greetings).serve();
 * ```
 *
 * The way through: `role` says what an author writes; `context` what a running call can tell the host and ask of it;
 * `model` what goes over; `serve` what is underneath. A plugin never opens the host's database and never learns a path
 * outside its job.
 *
 * @module
 */
import "./serve/output.js"; // first: standard output belongs to the handshake

export type { Level, Outcome, Progress } from "./context/tell.js";
export { Context, HookContext } from "./context/context.js";
export { type Class, type ErrorDetails, PluginError, type Scope } from "./errors.js";
export { TestMode } from "./gen/wharf/v1/action.js";
export { Stage } from "./gen/wharf/v1/builder.js";
export { StateScope } from "./gen/wharf/v1/host.js";
export { Mode, Policy } from "./gen/wharf/v1/importer.js";
export { CheckScope } from "./gen/wharf/v1/plugin.js";
export type { Stored } from "./host/artifact.js";
export type { Download, DownloadAnswer, Downloaded, Validators } from "./host/download.js";
export type { Claim, JobEnd } from "./host/jobs.js";
export { type Query, UnitPages } from "./host/query.js";
export type { Signed, SignForm } from "./host/sign.js";
export type { State } from "./host/state.js";
export type { SavedUnit } from "./host/units.js";
export { type Fields, type Level as LogLevel, type Logger, logger } from "./logging.js";
export { Attachment, Instance } from "./model/attachment.js";
export { Done, type DoneDetails } from "./model/done.js";
export type { Contribution, Job, ReceivedContribution } from "./model/job.js";
export type { Json } from "./model/json.js";
export type { ListedItem } from "./model/listed.js";
export type { PublishedFile, PublishedFrom } from "./model/published.js";
export type { FieldEquals, Keep, UnitRef } from "./model/reference.js";
export { type File, FileInfo, type Link, type Source, StoredUnit, type Unit } from "./model/unit.js";
export { type Action, RunRequest } from "./role/action.js";
export { type Builder, BuildRequest, type Target } from "./role/builder.js";
export { Check, Checked, type Choice, type Component, Plan } from "./role/component.js";
export {
  type ClientConfig,
  ClientConfigRequest,
  type ClientFile,
  type Distributor,
  type Publication,
  PublishRequest,
  ReissueRequest,
  UnpublishRequest,
} from "./role/distributor.js";
export {
  FetchRequest,
  type Importer,
  type LastSync,
  ListRequest,
  ResolveRequest,
  SyncRequest,
  UploadRequest,
} from "./role/importer.js";
export { After, Before, type Hooks, Step } from "./role/hooks.js";
export type { Migration, Migrations } from "./role/migrations.js";
export { Plugin } from "./serve/plugin.js";
