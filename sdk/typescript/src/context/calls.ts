/**
 * Running a method as a call: its stream of events, its end, and what it does behind its own back.
 *
 * When the host drops a call, its method is told by the signal, gets a grace time, and is left behind. Whatever a method
 * throws is a fault of its call, and so is what it throws where nobody waits: a rejected promise without an owner, an
 * exception in a timer.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setMaxListeners } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

import { type sendUnaryData, type ServerWritableStream, status as Status } from "@grpc/grpc-js";

import { PluginError } from "../errors.js";
import { JobContext } from "../gen/wharf/v1/model.js";
import type { Dialer, Route } from "../host/dial.js";
import { logger } from "../logging.js";
import { Done } from "../model/done.js";
import { Context } from "./context.js";
import { EventStream } from "./stream.js";

/** Milliseconds that calls get to end by themselves. A go-plugin host kills two seconds after it asked for the end. */
export const GRACE = 1_200;
/** Milliseconds in which calls that were left behind send their last event. */
const LAST_EVENT = 150;

const log = logger("wharf.calls");

/** A call that a stray error is charged to. */
interface Scope {
  fail(thrown: unknown): void;
}

/** A call that the host may drop. */
interface Cancellable {
  on(event: "cancelled", listener: () => void): unknown;
}

/** A way to the host. */
export interface Way {
  readonly job: JobContext;
  readonly route: Route;
  readonly signal: AbortSignal;
}

/** A method that is given a way to the host. */
export type Asking<T> = (way: Way) => Promise<T>;

/** A long call of any kind: its answer is written as encoded events. */
export type Long<Request> = ServerWritableStream<Request, Uint8Array>;

/** All running calls of a plugin: who owns them, what stops them. */
export class Calls {
  readonly #dialer: Dialer;
  readonly #grace: number;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #scopes = new AsyncLocalStorage<Scope>();

  constructor(dialer: Dialer, grace: number) {
    this.#dialer = dialer;
    this.#grace = grace;
    // As many listen as there are calls.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Starts a long call. */
  start(call: Long<unknown>, job: JobContext | undefined, method: (context: Context) => Promise<Done>): void {
    if (this.#stop.signal.aborted) return refuse(call, STOPPING);
    const running = this.#run(call, job ?? JobContext.create(), method).catch((thrown: unknown) => {
      refuse(call, failure(thrown).toStatus());
    });
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  /** Answers a call with one message. */
  answer<T>(answer: sendUnaryData<T>, method: () => T | Promise<T>): void {
    if (this.#stop.signal.aborted) return answer(STOPPING);
    const answering = this.#guarded(async () => answer(null, await method())).catch((thrown: unknown) => {
      answer(failure(thrown).toStatus());
    });
    this.#running.add(answering);
    void answering.finally(() => this.#running.delete(answering));
  }

  /** Answers a call with one message, by a method that may ask the host. */
  ask<T>(call: Cancellable, answer: sendUnaryData<T>, job: JobContext | undefined, method: Asking<T>): void {
    const cancel = new AbortController();
    const abort = (): void => cancel.abort();
    call.on("cancelled", abort);
    this.#stop.signal.addEventListener("abort", abort, { once: true });
    const known = job ?? JobContext.create();
    const { signal } = cancel;
    this.answer(answer, async () => {
      try {
        return await method({ job: known, route: this.#dialer.route(known, signal), signal });
      } finally {
        this.#stop.signal.removeEventListener("abort", abort);
      }
    });
  }

  /** A way to the host for a call that was given none: whoever takes it is told. */
  nowhere(): Route {
    return this.#dialer.route(JobContext.create(), this.#stop.signal);
  }

  /** Charges an error that nobody caught to the call whose code it is of. Answers whether there is one. */
  stray(thrown: unknown): boolean {
    const scope = this.#scopes.getStore();
    scope?.fail(thrown);
    return scope !== undefined;
  }

  /** Cancels running calls, refuses new ones, and waits until all have ended or were left behind. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const late = new AbortController();
    const patience = pause(this.#grace + LAST_EVENT, undefined, { signal: late.signal });
    await Promise.race([Promise.all(this.#running), patience]);
    late.abort();
    await patience.catch(() => undefined);
  }

  async #run(call: Long<unknown>, job: JobContext, method: (context: Context) => Promise<Done>): Promise<void> {
    const cancel = new AbortController();
    setMaxListeners(0, cancel.signal);
    const abort = (): void => cancel.abort();
    call.on("cancelled", abort);
    // A connection that breaks is a cancel too, and no reason to end the process.
    call.on("error", abort);
    this.#stop.signal.addEventListener("abort", abort, { once: true });
    const { signal } = cancel;
    const overdue = outOfGrace(signal, this.#grace);
    const events = new EventStream(call, signal);
    const context = new Context(job, events, this.#dialer.route(job, signal), signal);
    try {
      const outcome = await Promise.race([this.#outcome(() => method(context)), overdue.reached]);
      await context.flush().catch(() => undefined);
      await this.#end(call, events, outcome, overdue.reached);
    } finally {
      overdue.forget();
      this.#stop.signal.removeEventListener("abort", abort);
      // What the method left behind is to end too.
      cancel.abort();
    }
  }

  async #outcome(method: () => Promise<Done>): Promise<Done | PluginError> {
    try {
      const done: unknown = await this.#guarded(method);
      if (done instanceof Done) return done;
      throw PluginError.fault(
        "internal.result",
        "the method ended without a Done: return Done.changed() or another one",
      );
    } catch (thrown) {
      return failure(thrown);
    }
  }

  async #end(
    call: Long<unknown>,
    events: EventStream,
    outcome: Done | PluginError,
    gone: Promise<unknown>,
  ): Promise<void> {
    if (call.cancelled) return;
    if (!(outcome instanceof PluginError)) {
      await events.close({ $case: "result", value: outcome.wire }, gone);
    } else if (outcome.notOffered) {
      await events.close(undefined, gone);
      return refuse(call, outcome.toStatus());
    } else {
      await events.close({ $case: "error", value: outcome.toWire() }, gone);
    }
    call.end();
  }

  /** Runs a method so that its stray errors end it. */
  #guarded<T>(method: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let over = false;
      const end = (value: T): void => {
        over = true;
        resolve(value);
      };
      const fail = (thrown: unknown): void => {
        if (over) log.error("a call threw after its end", { error: thrown });
        over = true;
        reject(thrown);
      };
      this.#scopes.run({ fail }, () => {
        // Never thrown from here: an exception of the method itself is a rejection too.
        Promise.resolve().then(method).then(end, fail);
      });
    });
  }
}

const STOPPING = { code: Status.UNAVAILABLE, details: "the plugin is stopping" };

/** Ends a long call with a plain status. */
export function refuse(call: Long<unknown>, status: { code: Status; details: string }): void {
  call.emit("error", status);
}

/** What was thrown, as an error of the contract. A bug leaves its trace in the log. */
function failure(thrown: unknown): PluginError {
  const error = PluginError.from(thrown);
  if (error.class === "fault") report(thrown);
  return error;
}

function report(thrown: unknown): void {
  log.error("a call ended with a fault", { error: thrown });
}

/** Resolves when a stop was wanted and the grace time has passed since. */
function outOfGrace(signal: AbortSignal, grace: number): { reached: Promise<PluginError>; forget: () => void } {
  const { promise, resolve } = deferred<PluginError>();
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => resolve(PluginError.cancelled()), grace);
  };
  const forget = (): void => {
    signal.removeEventListener("abort", begin);
    clearTimeout(timer);
  };
  signal.addEventListener("abort", begin, { once: true });
  return { reached: promise, forget };
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((it) => {
    resolve = it;
  });
  return { promise, resolve };
}
