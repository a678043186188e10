/**
 * What upstream, the repository and the host hold, as the plugin will see it.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Signed, SignForm } from "../host/sign.js";
import { type Json, toObject } from "../model/json.js";
import { StoredUnit, toBuffer, type Unit, unitToWire } from "../model/unit.js";

/** What a fake host is made of; what is not there is empty. */
export interface Holdings {
  /** What addresses answer. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  /** Addresses that begin so are files of a folder. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Units of the job's version; each gets the next number from 1 on, unless it has one. */
  readonly units?: readonly Unit[];
  /** Secrets of the instance. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** The effective settings, as `Context.settings` gives them. */
  readonly settings?: Json;
  /** How this host signs; without it, it does not. */
  readonly sign?: (form: SignForm, bytes: Uint8Array) => Signed;
}

/** A piece of kept state. */
export interface Kept {
  revision: number;
  value: Buffer;
}

/**
 * A stand-in for the host. A download is answered from `files` by its address, else from `folders`, else read from a
 * `file:` address. The ETag is the digest of the bytes.
 */
export class FakeHost {
  /** The addresses that were asked for so far, with ` (unchanged)` behind those answered by validators alone. */
  readonly requests: string[] = [];
  /** Events for rules, jobs, contributions: what the plugin did to the host, each as CALL and JSON text. */
  readonly asked: string[] = [];
  /** Units of the job's version; what the plugin saves comes behind them. */
  readonly units: StoredUnit[];
  /** @internal */
  readonly state = new Map<string, Kept>();
  /** Bytes in the store, by `sha256:HEX`. */
  readonly artifacts = new Map<string, Buffer>();
  readonly #holdings: Holdings;

  constructor(holdings: Holdings = {}) {
    this.#holdings = holdings;
    const units = (holdings.units ?? []).map(unitToWire);
    this.units = units.map((unit, place) => new StoredUnit({ ...unit, id: unit.id || place + 1 }));
    for (const bytes of Object.values(holdings.files ?? {})) this.store(toBuffer(bytes));
  }

  /** Puts bytes into the store. Gives their digest. */
  store(bytes: Buffer): string {
    const digest = digestOf(bytes);
    this.artifacts.set(digest, bytes);
    return digest;
  }

  /** @internal */
  secret(name: string): Buffer | undefined {
    const secret = this.#holdings.secrets?.[name];
    return secret === undefined ? undefined : Buffer.from(secret);
  }

  /** @internal */
  settings(): string {
    return toObject("the settings", this.#holdings.settings ?? {});
  }

  /** @internal */
  signer(): Holdings["sign"] {
    return this.#holdings.sign;
  }

  /** @internal What an address answers; undefined when nothing is there. */
  read(url: string): Buffer | undefined {
    const file = this.#holdings.files?.[url];
    if (file !== undefined) return toBuffer(file);
    const folder = Object.entries(this.#holdings.folders ?? {}).find(([base]) => url.startsWith(base));
    if (folder === undefined && !url.startsWith("file:")) return undefined;
    try {
      return readFileSync(folder === undefined ? fileURLToPath(url) : `${folder[1]}/${url.slice(folder[0].length)}`);
    } catch {
      return undefined;
    }
  }
}

/** @internal */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
