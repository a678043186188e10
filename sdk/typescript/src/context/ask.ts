/**
 * What a call can ask of the host, and what it knows of its job. All of it throws what the host says about the request, and
 * `PluginError.cancelled()` once the call is cancelled or over.
 *
 * @module
 */
import { join } from "node:path";

import { PluginError } from "../errors.js";
import type { Item } from "../gen/wharf/v1/event.js";
import type { StateScope } from "../gen/wharf/v1/host.js";
import type { JobContext } from "../gen/wharf/v1/model.js";
import * as artifact from "../host/artifact.js";
import type { Route } from "../host/dial.js";
import { type Download, type DownloadAnswer, downloadAll, type Downloaded } from "../host/download.js";
import * as jobs from "../host/jobs.js";
import { type Query, UnitPages } from "../host/query.js";
import { sign, type Signed, type SignForm } from "../host/sign.js";
import * as state from "../host/state.js";
import { getUnits, type SavedUnit, saveUnits } from "../host/units.js";
import type { Contribution, Job } from "../model/job.js";
import type { Json } from "../model/json.js";
import type { UnitRef } from "../model/reference.js";
import type { StoredUnit, Unit } from "../model/unit.js";

/** The part of a context for questions. */
export abstract class Ask {
  /** Aborted as soon as a stop is wanted; for work that does not talk to the host. */
  readonly signal: AbortSignal;
  readonly #job: JobContext;
  readonly #route: Route;
  readonly #started = performance.now();

  /** @internal */
  constructor(job: JobContext, route: Route, signal: AbortSignal) {
    this.#job = job;
    this.#route = route;
    this.signal = signal;
  }

  /** The job's number, for logs. */
  get jobNumber(): number {
    return this.#job.job;
  }

  /** 1 for the first try, 2 for the retry after a fault. */
  get attempt(): number {
    return this.#job.attempt;
  }

  /** The job's private folder, absolute. Files for the host are staged in it and named relative to it. */
  get workDir(): string {
    return this.#job.workDir;
  }

  /** The absolute path of a file in the work folder. */
  inWorkDir(name: string): string {
    return join(this.workDir, name);
  }

  /** W3C trace context of the call, or an empty text. */
  get traceparent(): string {
    return this.#job.traceparent;
  }

  /** Milliseconds that are left; undefined when no limit is set. */
  get timeLeftMs(): number | undefined {
    const { deadlineMs } = this.#job;
    if (deadlineMs === 0) return undefined;
    return Math.max(0, deadlineMs - (performance.now() - this.#started));
  }

  /** Has the host download one file into the work folder. Throws what the host says about it. */
  async download(download: Download): Promise<Downloaded> {
    for await (const answer of this.downloadAll([download])) {
      if (answer.error !== undefined) throw answer.error;
      return answer.downloaded;
    }
    throw PluginError.fault("internal.host", "the host left a download unanswered");
  }

  /** Has the host download many files; each is answered, with its place in the list, as it is done. */
  downloadAll(downloads: Iterable<Download>): AsyncGenerator<DownloadAnswer, void, void> {
    return downloadAll(this.#route, downloads);
  }

  /** Units of the job's version: `for await (const unit of context.units({ types: ["x"] }))`. */
  units(query: Query = {}): UnitPages {
    return new UnitPages(this.#route, query);
  }

  /** Units by name. */
  getUnits(refs: Iterable<UnitRef>): Promise<StoredUnit[]> {
    return getUnits(this.#route, refs);
  }

  /** As `unit`, but says what was new, in the order given. */
  saveUnits(units: Iterable<Unit>): Promise<SavedUnit[]> {
    return saveUnits(this.#route, units);
  }

  /** Which of these digests, each `sha256:HEX`, the host has bytes for; in the order asked. */
  hasArtifacts(digests: readonly string[]): Promise<boolean[]> {
    return artifact.hasArtifacts(this.#route, digests);
  }

  /** The bytes of a file that the job may read, by `sha256:HEX`, from an offset. */
  openArtifact(digest: string, offset = 0): AsyncGenerator<Uint8Array, void, void> {
    return artifact.openArtifact(this.#route, digest, offset);
  }

  /** Puts bytes into the store. */
  putArtifact(bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<artifact.Stored> {
    return artifact.putArtifact(this.#route, bytes);
  }

  /** A secret of the call's instance, by one of the names that the instance lists. */
  secret(name: string): Promise<Uint8Array> {
    return state.secret(this.#route, name);
  }

  /** The effective settings of the job's attachment or instance, as the host has them now. */
  settings<T>(): Promise<T> {
    return state.settings<T>(this.#route);
  }

  /** Has the host sign something with the key that the attachment names, of which the request tells in `signing`. */
  sign(form: SignForm, bytes: Uint8Array | string): Promise<Signed> {
    return sign(this.#route, form, bytes, this.workDir);
  }

  /** A small piece of the plugin's own state; undefined when there is none. */
  getState(scope: StateScope, key: string): Promise<state.State | undefined> {
    return state.getState(this.#route, scope, key);
  }

  /**
   * Replaces a piece of state, at most 64 KiB; `revision` is that of the state it replaces, 0 when there is none. Counts
   * only if the job succeeds, unless `durable`. Answers the new revision; an operation error with code `conflict` when
   * somebody else was faster.
   */
  putState(
    scope: StateScope,
    key: string,
    value: { readonly revision: number; readonly value: Uint8Array | string },
    durable = false,
  ): Promise<number> {
    return state.putState(this.#route, scope, key, value, durable);
  }

  /** Starts another job; answers its number. */
  spawnJob(job: Job): Promise<number> {
    return jobs.spawnJob(this.#route, job);
  }

  /** Waits for the end of a job. */
  waitJob(job: number): Promise<jobs.JobEnd> {
    return jobs.waitJob(this.#route, job);
  }

  /** Takes a lock, a place in a queue or space; answers the grant. Given back when the job ends, however it ends. */
  acquire(claim: jobs.Claim): Promise<number> {
    return jobs.acquire(this.#route, claim);
  }

  /** Gives a grant back. */
  release(grant: number): Promise<void> {
    return jobs.release(this.#route, grant);
  }

  /** Gives content to a later step of a build, which the component `PLUGIN.COMPONENT` makes. */
  contribute(to: string, contribution: Contribution): Promise<void> {
    return jobs.contribute(this.#route, to, contribution);
  }

  /** An event that rules can see. */
  emit(name: string, payload: Json = {}): Promise<void> {
    return jobs.emit(this.#route, name, payload);
  }

  /** What became of the declared items, as it becomes known. */
  watchItems(): AsyncGenerator<Item, void, void> {
    return jobs.watchItems(this.#route);
  }
}
