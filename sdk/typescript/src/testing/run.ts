/**
 * What came of a call.
 *
 * @module
 */
import assert from "node:assert/strict";

import type { ClientReadableStream, ServiceError } from "@grpc/grpc-js";

import type * as wire from "../gen/wharf/v1/event.js";
import type * as model from "../gen/wharf/v1/model.js";
import type { TypeDefinition } from "../serve/manifest.js";
import { Contract } from "./contract.js";

/** How long a test waits for a plugin's next event, in milliseconds. */
const PATIENCE = 30_000;

type AnyEvent = NonNullable<wire.Event["event"]>;

/** A call whose events are taken one by one. */
export class Running {
  readonly #call: ClientReadableStream<Buffer>;
  readonly #events: AsyncIterator<Buffer>;
  readonly #contract: Contract;

  /** @internal */
  constructor(call: ClientReadableStream<Buffer>, types: readonly TypeDefinition[]) {
    this.#call = call;
    this.#events = call[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#contract = new Contract(types);
  }

  /**
   * The next event; undefined at the end. Throws the status that the call ended with, and an `AssertionError` when the
   * plugin stays silent for half a minute or breaks the contract.
   */
  async next(): Promise<AnyEvent | undefined> {
    const next = await within(PATIENCE, this.#events.next());
    return next.done === true ? undefined : this.#contract.check(next.value).event;
  }

  /** Drops the call, as a host does that does not want it any more. */
  cancel(): void {
    this.#call.on("error", () => undefined);
    this.#call.cancel();
  }

  /** Takes the rest. As `next`, but the status that a call ended with is in what it gives. */
  async finish(): Promise<Run> {
    const run = new Run();
    try {
      for (let event = await this.next(); event !== undefined; event = await this.next()) run.add(event);
    } catch (error) {
      if (!isStatus(error)) throw error;
      run.status = error;
      return run;
    }
    this.#contract.checkEnd();
    return run;
  }
}

function isStatus(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && typeof error.code === "number";
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new assert.AssertionError({ message: `the plugin said nothing for ${milliseconds} ms` });
    timer = setTimeout(() => reject(error), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Everything that a call told, sorted by kind, each kind in order. */
export class Run {
  /** Declared units. */
  readonly units: model.Unit[] = [];
  /** Kept units. */
  readonly kept: wire.Keep[] = [];
  /** Removed units. */
  readonly removed: model.UnitRef[] = [];
  /** Resolved units. */
  readonly resolved: model.UnitRef[] = [];
  /** Listed items. */
  readonly listed: wire.ListedItem[] = [];
  /** Answers of `fetch`. */
  readonly contents: NonNullable<wire.Content["content"]>[] = [];
  /** Files of the publication. */
  readonly files: wire.PublishedFile[] = [];
  /** Variants of paths. */
  readonly variants: wire.Variant[] = [];
  /** Outcomes. */
  readonly items: wire.Item[] = [];
  /** Warnings. */
  readonly warnings: wire.Warning[] = [];
  /** Log lines. */
  readonly logs: wire.Log[] = [];
  /** Progress, as far as it was not thinned out. */
  readonly progress: wire.Progress[] = [];
  /** All other events. */
  readonly others: AnyEvent[] = [];
  /** The good end. */
  result: wire.Result | undefined;
  /** The bad end. */
  error: model.Error | undefined;
  /** The status of a call that ended without either. */
  status: ServiceError | undefined;

  /** @internal */
  add(event: AnyEvent): void {
    switch (event.$case) {
      case "units":
        return void this.units.push(...event.value.units);
      case "keep":
        return void this.kept.push(event.value);
      case "remove":
        return void this.removed.push(...event.value.units);
      case "resolved":
        return void this.resolved.push(...event.value.units);
      case "listed":
        return void this.listed.push(...event.value.items);
      case "content":
        if (event.value.content !== undefined) this.contents.push(event.value.content);
        return;
      case "files":
        return void this.files.push(...event.value.files);
      case "variants":
        return void this.variants.push(...event.value.variants);
      case "items":
        return void this.items.push(...event.value.items);
      case "warning":
        return void this.warnings.push(event.value);
      case "log":
        return void this.logs.push(event.value);
      case "progress":
        return void this.progress.push(event.value);
      case "result":
        this.result = event.value;
        return;
      case "error":
        this.error = event.value;
        return;
      default:
        this.others.push(event);
    }
  }

  /** The keys of the declared units. */
  keys(): string[] {
    return this.units.map((unit) => unit.key);
  }

  /** The bytes that `fetch` sent in chunks. */
  bytes(): Buffer {
    return Buffer.concat(this.contents.map((it) => (it.$case === "chunk" ? it.value : Buffer.alloc(0))));
  }

  /** The good end. An `AssertionError` says how the call ended otherwise. */
  done(): wire.Result {
    assert(this.error === undefined, `the call failed: ${JSON.stringify(this.error)}`);
    assert(this.result !== undefined, `the call ended with ${String(this.status)}`);
    return this.result;
  }

  /** The error. An `AssertionError` says how the call ended otherwise. */
  failure(): model.Error {
    assert(this.status === undefined, `the call ended with ${String(this.status)}`);
    assert(this.error !== undefined, "the call succeeded");
    return this.error;
  }

  /** The state to keep, for the next run. */
  state(): Buffer {
    return this.done().state;
  }
}
