/**
 * What a stream of events must look like, whatever the plugin does.
 *
 * @module
 */
import assert from "node:assert/strict";

import { MAX_BATCH, MAX_MESSAGE_BYTES } from "../context/batch.js";
import { Event } from "../gen/wharf/v1/event.js";
import type { File, Unit } from "../gen/wharf/v1/model.js";
import { MAX_INLINE_BYTES } from "../host/sign.js";
import { keyFields, type TypeDefinition } from "../serve/manifest.js";

/** Watches one stream. A breach is an `AssertionError` that says which. */
export class Contract {
  readonly #types: readonly TypeDefinition[];
  #ended = false;

  constructor(types: readonly TypeDefinition[]) {
    this.#types = types;
  }

  /** Looks at an event as it arrived. */
  check(bytes: Buffer): Event {
    assert(!this.#ended, "contract: an event after the closing one");
    assert(bytes.length <= MAX_MESSAGE_BYTES, `contract: a message of ${bytes.length} bytes`);
    const message = Event.decode(bytes);
    const entries = message.event === undefined ? 0 : this.#entries(message.event);
    assert(entries <= MAX_BATCH, `contract: a message of ${entries} entries`);
    this.#ended = message.event?.$case === "result" || message.event?.$case === "error";
    return message;
  }

  /** Looks at the end of a stream. */
  checkEnd(): void {
    assert(this.#ended, "contract: the stream ended without result or error");
  }

  #entries(event: NonNullable<Event["event"]>): number {
    switch (event.$case) {
      case "units":
        for (const unit of event.value.units) this.#unit(unit);
        return event.value.units.length;
      case "listed":
        for (const { unit } of event.value.items) {
          const files = unit?.files.length ?? 0;
          assert(files === 1, `contract: a listed item has one file, this one ${files}`);
          if (unit !== undefined) this.#unit(unit);
        }
        return event.value.items.length;
      case "files":
        return event.value.files.length;
      case "items":
        return event.value.items.length;
      case "remove":
      case "resolved":
        return event.value.units.length;
      case "aliases":
        return event.value.aliases.length;
      case "variants":
        return event.value.variants.length;
      case "keep":
        return event.value.keys.length;
      default:
        return 1;
    }
  }

  #unit(unit: Unit): void {
    // A migration names units by number, and leaves empty what stays.
    const stays = unit.id > 0 && unit.key === "";
    const fields = object(unit.key);
    const keyed = fields !== undefined && Object.keys(fields).length > 0;
    assert(stays || keyed, `contract: the key of a unit is a JSON object, not ${JSON.stringify(unit.key)}`);
    const attributes = unit.attributes === "" || object(unit.attributes) !== undefined;
    assert(attributes, `contract: attributes are a JSON object, not ${JSON.stringify(unit.attributes)}`);
    unit.files.forEach(checkFile);
    if (this.#types.length === 0) return;
    const type = this.#types.find((it) => it.id === unit.type);
    assert(type !== undefined, `contract: no type ${JSON.stringify(unit.type)} is declared`);
    for (const { name, filled } of keyFields(type)) {
      assert(stays || filled || (fields && name in fields), `contract: ${unit.key} lacks ${JSON.stringify(name)}`);
    }
  }
}

function object(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function checkFile(file: File): void {
  const path = JSON.stringify(file.path);
  const inside = file.path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  assert(inside, `contract: ${path} is not a clean relative path`);
  const ways = [file.sources.length > 0, file.staged !== undefined, file.inline !== undefined].filter(Boolean).length;
  assert(ways <= 1, `contract: ${path} comes ${ways} ways`);
  const inline = file.inline?.length ?? 0;
  assert(inline <= MAX_INLINE_BYTES, `contract: ${path} has ${inline} bytes inline`);
}
