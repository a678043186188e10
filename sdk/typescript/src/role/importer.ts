/**
 * Bringing content in.
 *
 * @module
 */
import type { Context } from "../context/context.js";
import type * as wire from "../gen/wharf/v1/importer.js";
import type { Mode, Policy } from "../gen/wharf/v1/importer.js";
import { Unit as WireUnit } from "../gen/wharf/v1/model.js";
import { Attachment } from "../model/attachment.js";
import type { Done } from "../model/done.js";
import { fromObject } from "../model/json.js";
import type { UnitRef } from "../model/reference.js";
import { FileInfo, StoredUnit } from "../model/unit.js";
import type { Component } from "./component.js";

/** Brings content in. Offer `sync` (the plugin drives), or `list` and `fetch` (the host drives). */
export interface Importer extends Component {
  /** Reads upstream and declares what the new version contains: `unit`, `keep`, `remove` of the context. */
  sync?(request: SyncRequest, context: Context): Promise<Done>;
  /** Says what upstream holds, with revisions: `context.listed`. */
  list?(request: ListRequest, context: Context): Promise<Done>;
  /** Hands out one listed item's bytes: `chunk`, `source` or `staged` of the context. */
  fetch?(request: FetchRequest, context: Context): Promise<Done>;
  /** Makes units of files that a user brought: `context.unit`. */
  upload?(request: UploadRequest, context: Context): Promise<Done>;
  /** Names the units of a version that others depend on: `context.resolved`. */
  resolve?(request: ResolveRequest, context: Context): Promise<Done>;
}

/** The last sync of the same attachment that finished. */
export interface LastSync {
  /** Milliseconds since 1970. */
  readonly finishedMs: number;
  /** The version that it made or confirmed. */
  readonly version: number;
  /** `succeeded` or `partial`. */
  readonly outcome: string;
}

/** What `sync` works with. */
export class SyncRequest {
  readonly attachment: Attachment;
  /** The version that the new one is compared with; 0 is the empty one. */
  readonly baseVersion: number;
  /** How many units the base version has. */
  readonly baseUnits: number;
  /** Whether the new version is exactly what is declared, or the base plus that. */
  readonly mode: Mode;
  /** When the host fetches bytes. */
  readonly policy: Policy;
  /** Nothing will be stored. Declare as always. */
  readonly dryRun: boolean;
  /** Upstream's own shortcuts ("unchanged since") must not be used. */
  readonly full: boolean;
  /** Why: `asked`, `first`, `settings`, `content`, `policy`, `incomplete`, `integrity`. */
  readonly fullReasons: readonly string[];
  /** Undefined: never. */
  readonly last: LastSync | undefined;
  /** Only these items; empty means all. */
  readonly only: readonly string[];
  /** What an earlier attempt of this job left by `context.checkpoint`. */
  readonly checkpoint: Uint8Array;

  /** @internal */
  constructor(request: wire.SyncRequest) {
    this.attachment = new Attachment(request.attachment);
    this.baseVersion = request.baseVersion;
    this.baseUnits = request.baseUnits;
    this.mode = request.mode;
    this.policy = request.policy;
    this.dryRun = request.dryRun;
    this.full = request.full;
    this.fullReasons = request.fullReasons;
    this.last = request.last;
    this.only = request.only;
    this.checkpoint = request.checkpoint;
  }
}

/** What `list` works with. */
export class ListRequest {
  readonly attachment: Attachment;
  /** Where an earlier listing left off; empty: from the start. */
  readonly cursor: string;
  /** Only these items; empty means all. */
  readonly only: readonly string[];

  /** @internal */
  constructor(request: wire.ListRequest) {
    this.attachment = new Attachment(request.attachment);
    this.cursor = request.cursor;
    this.only = request.only;
  }
}

/** What `fetch` works with. */
export class FetchRequest {
  readonly attachment: Attachment;
  /** The item as it was listed, with its one file. */
  readonly unit: StoredUnit;
  /** The revision that it was listed with. */
  readonly revision: string;
  /** The first byte wanted. */
  readonly offset: number;

  /** @internal */
  constructor(request: wire.FetchRequest) {
    this.attachment = new Attachment(request.attachment);
    this.unit = new StoredUnit(request.unit ?? WireUnit.create());
    this.revision = request.revision;
    this.offset = request.offset;
  }
}

/** What `upload` works with. */
export class UploadRequest {
  readonly attachment: Attachment;
  /** The type's id; empty: the plugin finds out. */
  readonly type: string;
  /** JSON object, as text; may be empty. */
  readonly keyText: string;
  /** JSON object, as text; may be empty. */
  readonly attributesText: string;
  /** Staged below the work folder, with size and digests. `path` is the name that the user gave. */
  readonly files: readonly FileInfo[];

  /** @internal */
  constructor(request: wire.UploadRequest) {
    this.attachment = new Attachment(request.attachment);
    this.type = request.type;
    this.keyText = request.key;
    this.attributesText = request.attributes;
    this.files = request.files.map((file) => new FileInfo(file));
  }

  /** What the user said of the key; nothing said is an empty object. What cannot be read is a usage error. */
  key<T>(): T {
    return fromObject<T>("the key", this.keyText);
  }

  /**
   * What else the user said; nothing said is an empty object. What a form said that was sent from outside is below
   * `form`: each field's text, or a list of texts. What cannot be read is a usage error.
   */
  attributes<T>(): T {
    return fromObject<T>("the attributes", this.attributesText);
  }
}

/** What `resolve` works with. */
export class ResolveRequest {
  readonly attachment: Attachment;
  /** The version to look in. */
  readonly version: number;
  /** The units whose dependencies are asked for. */
  readonly units: readonly UnitRef[];
  /** JSON object, as text. */
  readonly optionsText: string;

  /** @internal */
  constructor(request: wire.ResolveRequest) {
    this.attachment = new Attachment(request.attachment);
    this.version = request.version;
    this.units = request.units;
    this.optionsText = request.options;
  }

  /** The options as the author's own type. What cannot be read is a usage error. */
  options<T>(): T {
    return fromObject<T>("the options", this.optionsText);
  }
}
