/**
 * What every call can tell: log lines, progress, warnings, outcomes, products.
 *
 * @module
 */
import { PluginError } from "../errors.js";
import { Item, LogLevel, Outcome as WireOutcome, type Progress as WireProgress } from "../gen/wharf/v1/event.js";
import type { JobContext } from "../gen/wharf/v1/model.js";
import type { Route } from "../host/dial.js";
import { type Job, jobToWire } from "../model/job.js";
import { type Json, toObject } from "../model/json.js";
import { toBuffer } from "../model/unit.js";
import { Ask } from "./ask.js";
import type { EventStream } from "./stream.js";

/** Progress closer together than so many milliseconds is dropped, but for the last. */
const PROGRESS_EVERY = 100;

/** How serious a line of a log is. */
export type Level = "trace" | "debug" | "info" | "warn" | "error";

const LEVELS = {
  trace: LogLevel.TRACE,
  debug: LogLevel.DEBUG,
  info: LogLevel.INFO,
  warn: LogLevel.WARN,
  error: LogLevel.ERROR,
} as const;

/** What became of an item that the plugin decided on itself. Outcomes of declared units are the host's to tell. */
export type Outcome = "added" | "changed" | "unchanged" | "removed" | "skipped";

const OUTCOMES = {
  added: WireOutcome.ADDED,
  changed: WireOutcome.CHANGED,
  unchanged: WireOutcome.UNCHANGED,
  removed: WireOutcome.REMOVED,
  skipped: WireOutcome.SKIPPED,
} as const;

/** How far the plugin is. */
export interface Progress {
  /** So many are done. */
  readonly done: number;
  /** Of so many; 0 or not set: not known. */
  readonly total?: number | undefined;
  /** What is counted: `files`, `bytes`. */
  readonly unit?: string | undefined;
  /** A word for what goes on: `reading index`. */
  readonly phase?: string | undefined;
  /** What is being worked on right now: a file's name. */
  readonly activity?: string | undefined;
  /** A second level below the first. */
  readonly sub?: { readonly done: number; readonly total?: number | undefined } | undefined;
}

/** What every call can tell. All of it throws `PluginError.cancelled()` once the call is cancelled or over. */
export abstract class Tell extends Ask {
  #progress: Progress | undefined;
  #progressSent = 0;

  /** @internal */
  protected readonly events: EventStream;

  /** @internal */
  constructor(job: JobContext, events: EventStream, route: Route, signal: AbortSignal) {
    super(job, route, signal);
    this.events = events;
  }

  /** A line of the job's log, for the user of the job. */
  async log(level: Level, text: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.events.send({ $case: "log", value: { level: LEVELS[level], text, fields: { ...fields } } });
  }

  /** How far the call is. May be called as often as one likes: it is thinned out here. */
  async progress(progress: Progress): Promise<void> {
    const now = Date.now();
    const recent = now - this.#progressSent < PROGRESS_EVERY;
    this.#progress = recent ? progress : undefined;
    if (recent) return;
    this.#progressSent = now;
    await this.events.send({ $case: "progress", value: progressToWire(progress) });
  }

  /** Something that the user should know; nothing was lost. Code: stable, dotted. Item: what it is about. */
  async warn(code: string, text: string, item = ""): Promise<void> {
    await this.events.send({ $case: "warning", value: { code, text, item } });
  }

  /** What became of an item. */
  item(key: string, outcome: Outcome): Promise<void> {
    return this.#item({ key, outcome: OUTCOMES[outcome], error: undefined });
  }

  /** An item failed; the run goes on, and ends as partial. */
  failed(key: string, error: unknown): Promise<void> {
    const wire = PluginError.from(error).forItem(key).toWire();
    return this.#item({ key, outcome: WireOutcome.FAILED, error: wire });
  }

  /** Kept as the new version's `info`. */
  async metadata(info: Json): Promise<void> {
    await this.events.send({ $case: "metadata", value: toObject("the version's metadata", info) });
  }

  /** A product that is not a unit, staged in the work folder. */
  async output(name: string, mediaType: string, staged: string): Promise<void> {
    const bytes = { $case: "staged", value: staged } as const;
    await this.events.send({ $case: "output", value: { name, mediaType, bytes } });
  }

  /** An address for the user to go on at. */
  async link(label: string, url: string): Promise<void> {
    await this.events.send({ $case: "link", value: { label, url } });
  }

  /** Another job that the plugin asks for. */
  async job(job: Job): Promise<void> {
    await this.events.send({ $case: "job", value: jobToWire(job) });
  }

  /** Where a retry of this job may go on from. Everything told before it arrives before it. */
  async checkpoint(data: Uint8Array | string): Promise<void> {
    await this.flush();
    await this.events.send({ $case: "checkpoint", value: { data: toBuffer(data) } });
  }

  /**
   * Sends everything that still waits in batches. Authors rarely need this: batches are sent when full, when older than
   * a second, and at the end.
   */
  async flush(): Promise<void> {
    await this.events.flush();
    await this.#lastProgress();
  }

  /** Progress that was held back is sent once it is the last. */
  async #lastProgress(): Promise<void> {
    const last = this.#progress;
    this.#progress = undefined;
    if (last !== undefined) await this.events.send({ $case: "progress", value: progressToWire(last) });
  }

  #item(item: Item): Promise<void> {
    return this.events.add("items", (writer) => Item.encode(item, writer));
  }
}

function progressToWire(progress: Progress): WireProgress {
  return {
    done: progress.done,
    total: progress.total ?? 0,
    unit: progress.unit ?? "",
    phase: progress.phase ?? "",
    subDone: progress.sub?.done ?? 0,
    subTotal: progress.sub?.total ?? 0,
    activity: progress.activity ?? "",
  };
}
