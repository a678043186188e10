/**
 * Units and their files: what an author writes, and what comes back from the host.
 *
 * Key and attributes of a unit from the host are read when they are first looked at, never for nothing.
 *
 * @module
 */
import * as wire from "../gen/wharf/v1/model.js";
import { fromObject, type Json, toObject } from "./json.js";
import { type UnitRef, refToWire } from "./reference.js";

/** A typed record with a natural key, attributes and files. */
export interface Unit {
  /** A type that the plugin's manifest declares. */
  readonly type: string;
  /** The type's key fields. Those that the type takes from the artifact may be left out. */
  readonly key?: Json | undefined;
  /** All other fields. */
  readonly attributes?: Json | undefined;
  /** Its files, in order. */
  readonly files?: readonly File[] | undefined;
  /** Links to other units. */
  readonly links?: readonly Link[] | undefined;
  /** The host's number of a unit that is there: for migrations, in which what is not set stays as it is. */
  readonly id?: number | undefined;
}

/** A link from a unit to another one. */
export interface Link {
  /** What it means, for example `base`. */
  readonly kind: string;
  readonly to: UnitRef;
}

/** A place where the host can get bytes: an address (https, http or file), or one that wants request headers. */
export type Source = string | { readonly url: string; readonly headers?: Readonly<Record<string, string>> | undefined };

/**
 * One file of a unit: where it lies, what its bytes must be, and how the host comes by them.
 *
 * The bytes come from one place only: `sources`, `staged` or `inline`; or from none of them, when the importer offers
 * `fetch` or the host has the bytes already.
 */
export interface File {
  /** Relative; also its place in a published tree by default. */
  readonly path: string;
  /** Bytes, if that is known. */
  readonly size?: number | undefined;
  /** The SHA-256 in 64 hex digits, lower case. */
  readonly sha256?: string | undefined;
  /** Digests as `ALGORITHM:HEX`; the strongest one is checked. */
  readonly digests?: readonly string[] | undefined;
  /** Tried in order. */
  readonly sources?: readonly Source[] | undefined;
  /** A file below the work folder, named relative to it. The host takes it over. */
  readonly staged?: string | undefined;
  /** The bytes themselves, at most 64 KiB. */
  readonly inline?: Uint8Array | string | undefined;
  /** Fetched in this job even when the policy is on demand. */
  readonly eager?: boolean | undefined;
  /** Such as `text/plain`. */
  readonly mediaType?: string | undefined;
}

/** A unit that the host sent. It can be sent back as it is. */
export class StoredUnit implements Unit {
  readonly #wire: wire.Unit;
  #key: object | undefined;
  #attributes: object | undefined;

  /** @internal */
  constructor(unit: wire.Unit) {
    this.#wire = unit;
  }

  /** The host's number. */
  get id(): number {
    return this.#wire.id;
  }

  get type(): string {
    return this.#wire.type;
  }

  /** The key's JSON text. */
  get key(): string {
    return this.#wire.key;
  }

  /** The attributes' JSON text; empty when there are none. */
  get attributes(): string {
    return this.#wire.attributes;
  }

  get files(): readonly FileInfo[] {
    return this.#wire.files.map((file) => new FileInfo(file));
  }

  get links(): readonly Link[] {
    return this.#wire.links.map(({ kind, to }) => ({ kind, to: to ?? {} }));
  }

  /** The key, read into the author's own type. What cannot be read is a usage error. */
  readKey<T extends object>(): T {
    this.#key ??= fromObject<object>("the unit's key", this.#wire.key);
    return this.#key as T;
  }

  /** The attributes, read into the author's own type. What cannot be read is a usage error. */
  readAttributes<T extends object>(): T {
    this.#attributes ??= fromObject<object>("the unit's attributes", this.#wire.attributes);
    return this.#attributes as T;
  }
}

/** What a file of the host says of itself. */
export class FileInfo implements File {
  readonly path: string;
  readonly size: number | undefined;
  readonly digests: readonly string[];
  readonly sources: readonly Source[];
  /** Where it was staged, relative to the work folder; set for uploaded files. */
  readonly staged: string | undefined;
  readonly inline: Uint8Array | undefined;
  readonly eager: boolean;
  readonly mediaType: string;

  /** @internal */
  constructor(file: wire.File) {
    this.path = file.path;
    this.size = file.size;
    this.digests = file.digests;
    this.sources = file.sources;
    this.staged = file.staged;
    this.inline = file.inline;
    this.eager = file.eager;
    this.mediaType = file.mediaType;
  }

  /** The hex digits of a digest of this algorithm, if one is known. */
  hex(algorithm: string): string | undefined {
    const digest = this.digests.find((it) => it.startsWith(`${algorithm}:`));
    return digest?.slice(algorithm.length + 1);
  }

  /** The addresses, in the order they are tried. */
  get urls(): string[] {
    return this.sources.map((source) => (typeof source === "string" ? source : source.url));
  }
}

/** @internal */
export function unitToWire(unit: Unit): wire.Unit {
  return {
    type: unit.type,
    key: unit.key === undefined ? "" : toObject("a unit's key", unit.key),
    attributes: unit.attributes === undefined ? "" : toObject("a unit's attributes", unit.attributes),
    files: unit.files?.map(fileToWire) ?? [],
    links: unit.links?.map(({ kind, to }) => ({ kind, to: refToWire(to) })) ?? [],
    id: unit.id ?? 0,
  };
}

/** @internal */
export function fileToWire(file: File): wire.File {
  const digests = file.sha256 === undefined ? [] : [`sha256:${file.sha256}`];
  return {
    path: file.path,
    size: file.size,
    digests: file.digests === undefined ? digests : [...digests, ...file.digests],
    sources: file.sources?.map(sourceToWire) ?? [],
    staged: file.staged,
    inline: file.inline === undefined ? undefined : toBuffer(file.inline),
    eager: file.eager ?? false,
    mediaType: file.mediaType ?? "",
  };
}

/** @internal */
export function sourceToWire(source: Source): wire.Source {
  if (typeof source === "string") return { url: source, headers: {} };
  return { url: source.url, headers: { ...source.headers } };
}

/** @internal A text in UTF-8, or bytes as they are, without a copy. */
export function toBuffer(bytes: Uint8Array | string): Buffer {
  if (typeof bytes === "string") return Buffer.from(bytes, "utf8");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
