/**
 * The stream of events that a call answers with: bounded, in batches, and closed once.
 *
 * Whoever sends waits while the host is behind. After the end, and after a cancel, everything throws
 * `PluginError.cancelled()`.
 *
 * @module
 */
import { PluginError } from "../errors.js";
import { Event } from "../gen/wharf/v1/event.js";
import { Batches, type Encode, type Kind, MAX_MESSAGE_BYTES } from "./batch.js";

/** Messages that may wait for the host. A message holds up to 1,000 entries, so a few are plenty. */
const WAITING = 4;

/** Where encoded events go: the part of a gRPC stream that is used here. */
export interface Sink {
  write(event: Uint8Array, written: () => void): boolean;
}

/** The way out of one call. */
export class EventStream {
  readonly #sink: Sink;
  readonly #signal: AbortSignal;
  readonly #batches = new Batches();
  #waiting = 0;
  #closed = false;
  #room: (() => void)[] = [];

  constructor(sink: Sink, signal: AbortSignal) {
    this.#sink = sink;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  /** Sends one event, and waits while the host is behind. */
  async send(event: NonNullable<Event["event"]>): Promise<void> {
    await this.#write([Event.encode({ event }).finish()]);
  }

  /** Adds an entry to its batch; sends the batch when it is due. */
  add(kind: Kind, encode: Encode): Promise<void> {
    try {
      this.#live();
      const due = this.#batches.push(kind, encode);
      return due.length === 0 ? DONE : this.#write(due);
    } catch (error) {
      return Promise.reject(PluginError.from(error));
    }
  }

  /** Sends everything that waits in batches. */
  async flush(): Promise<void> {
    await this.#write(this.#batches.takeAll());
  }

  /**
   * Sends what waits, and the closing event unless there is none. After it nothing counts, so nothing is taken any more.
   * Returns when all of it is on its way or the host is gone.
   */
  async close(last: NonNullable<Event["event"]> | undefined, gone: Promise<unknown>): Promise<void> {
    const events = this.#closed ? [] : this.#batches.takeAll();
    this.#closed = true;
    if (last !== undefined) events.push(closing(last));
    for (const event of events) this.#put(event);
    while (this.#waiting > 0) {
      const over = await Promise.race([this.#roomAgain().then(() => false), gone.then(() => true)]);
      if (over) return;
    }
  }

  #live(): void {
    if (this.#closed || this.#signal.aborted) throw PluginError.cancelled();
  }

  async #write(events: Uint8Array[]): Promise<void> {
    this.#live();
    for (const event of events) {
      if (event.length > MAX_MESSAGE_BYTES) {
        const message = `one event takes ${event.length} bytes; a message holds ${MAX_MESSAGE_BYTES}`;
        throw PluginError.fault("limit.message", message);
      }
      this.#put(event);
    }
    while (this.#waiting >= WAITING) {
      await this.#roomAgain();
      this.#live();
    }
  }

  #put(event: Uint8Array): void {
    this.#waiting += 1;
    this.#sink.write(event, () => {
      this.#waiting -= 1;
      this.#wake();
    });
  }

  #roomAgain(): Promise<void> {
    return new Promise((resume) => this.#room.push(resume));
  }

  #wake(): void {
    const room = this.#room;
    this.#room = [];
    for (const resume of room) resume();
  }
}

/** The closing event, or in place of one that no message holds, a fault that says so. */
function closing(last: NonNullable<Event["event"]>): Uint8Array {
  const event = Event.encode({ event: last }).finish();
  if (event.length <= MAX_MESSAGE_BYTES) return event;
  const message = `the call's ${last.$case} takes ${event.length} bytes; a message holds ${MAX_MESSAGE_BYTES}`;
  const error = PluginError.fault("limit.message", message).toWire();
  return Event.encode({ event: { $case: "error", value: error } }).finish();
}

/** The answer to what had not to wait. */
const DONE = Promise.resolve();
