/**
 * Gathering entries into messages: at most 1,000 entries and 1 MiB each, and none waits longer than a second while
 * others come.
 *
 * Entries are encoded as they come, so that their size is known exactly; a message is put together of what is encoded.
 *
 * @module
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";

import { PluginError } from "../errors.js";

/** The most entries of one message. Source: the contract. */
export const MAX_BATCH = 1_000;
/** The most bytes of one message. Source: the contract. */
export const MAX_MESSAGE_BYTES = 1 << 20;

/** What a batch may hold; the rest of the message is for the envelope. */
const LIMIT = MAX_MESSAGE_BYTES - 1_024;
/** Tag and length before an entry. */
const FRAME = 6;
/** Milliseconds that a first entry waits for company, as long as more entries come. */
const PATIENCE = 1_000;
/** The tag of field 1, with a length: the list in every message that has one. */
const LIST = (1 << 3) | 2;

/** The kinds of entries that travel in batches, by their field of the message `Event`. */
export const BATCHED = {
  items: 3,
  units: 4,
  remove: 6,
  files: 8,
  aliases: 11,
  listed: 18,
  resolved: 20,
  variants: 23,
} as const;

/** A kind of entry that travels in batches. */
export type Kind = keyof typeof BATCHED;

/** Entries of one kind. */
class Batch {
  #entries: Uint8Array[] = [];
  #bytes = 0;
  #since = 0;

  constructor(
    readonly field: number,
    readonly writer: BinaryWriter,
  ) {}

  /** Adds an entry and gives the messages that must be sent now. */
  push(entry: Uint8Array): Uint8Array[] {
    const size = entry.length + FRAME;
    const due: Uint8Array[] = [];
    if (this.#bytes + size > LIMIT) due.push(...this.take());
    const now = Date.now();
    if (this.#entries.length === 0) this.#since = now;
    this.#entries.push(entry);
    this.#bytes += size;
    if (this.#entries.length >= MAX_BATCH || now - this.#since >= PATIENCE) due.push(...this.take());
    return due;
  }

  /** The message of all that waits, if anything does. */
  take(): Uint8Array[] {
    if (this.#entries.length === 0) return [];
    const message = this.#encode();
    this.#entries = [];
    this.#bytes = 0;
    return [message];
  }

  #encode(): Uint8Array {
    this.writer.uint32((this.field << 3) | 2).fork();
    for (const entry of this.#entries) this.writer.uint32(LIST).bytes(entry);
    return this.writer.join().finish();
  }
}

/** Writes one entry. */
export type Encode = (writer: BinaryWriter) => unknown;

/** All batches of a call. Writers are kept, because a new one for each entry costs more than the entry. */
export class Batches {
  readonly #batches = new Map<Kind, Batch>();
  readonly #entry = new BinaryWriter();
  readonly #message = new BinaryWriter();

  /** Adds an entry and gives the encoded events that must be sent now. */
  push(kind: Kind, encode: Encode): Uint8Array[] {
    const entry = this.#encode(encode);
    if (entry.length + FRAME > LIMIT) {
      const message = `one entry takes ${entry.length} bytes; a message holds ${LIMIT}`;
      throw PluginError.fault("limit.message", message);
    }
    let batch = this.#batches.get(kind);
    if (batch === undefined) {
      batch = new Batch(BATCHED[kind], this.#message);
      this.#batches.set(kind, batch);
    }
    return batch.push(entry);
  }

  /** All that waits, as encoded events. */
  takeAll(): Uint8Array[] {
    return [...this.#batches.values()].flatMap((batch) => batch.take());
  }

  #encode(encode: Encode): Uint8Array {
    try {
      encode(this.#entry);
    } catch (error) {
      // Half an entry must not stand before the next one.
      this.#entry.finish();
      throw error;
    }
    return this.#entry.finish();
  }
}
