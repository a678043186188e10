/**
 * Giving content out.
 *
 * @module
 */
import type { Context } from "../context/context.js";
import type * as wire from "../gen/wharf/v1/distributor.js";
import { Attachment } from "../model/attachment.js";
import type { Done } from "../model/done.js";
import { fromObject, type Json, toObject } from "../model/json.js";
import { toBuffer } from "../model/unit.js";
import type { Component } from "./component.js";

/** Gives content out: as a tree that the host serves, by pushing it somewhere, or as a document. */
export interface Distributor extends Component {
  /** Makes a publication of one version: `file`, `passThrough`, `reuse`, `alias`, `variant` of the context. */
  publish?(request: PublishRequest, context: Context): Promise<Done>;
  /** Takes back what `publish` put elsewhere. */
  unpublish?(request: UnpublishRequest, context: Context): Promise<Done>;
  /** Fresh entry points for a publication that goes live again. */
  reissue?(request: ReissueRequest, context: Context): Promise<Done>;
  /** What a client must be told to use the publication. */
  clientConfig?(request: ClientConfigRequest): ClientConfig | Promise<ClientConfig>;
}

/** An earlier publication. */
export interface Publication {
  /** The host's number. */
  readonly id: number;
  /** The version that it shows. */
  readonly version: number;
  /** The provider's identifier, for what was pushed. */
  readonly identifier: string;
}

const NONE: Publication = { id: 0, version: 0, identifier: "" };

/** What `publish` works with. */
export class PublishRequest {
  readonly attachment: Attachment;
  /** The version to publish. */
  readonly version: number;
  /** How many units it has. */
  readonly units: number;
  /** The publication before; undefined: there is none. */
  readonly previous: Publication | undefined;
  /** The time to write into metadata, milliseconds since 1970, so that output can be reproduced. */
  readonly timestampMs: number;
  /** Where the tree will be served: `name` of `/content/name/`. */
  readonly basePath: string;
  /** Empty: not known. */
  readonly baseUrl: string;
  /** Nothing may be taken over from the previous publication. */
  readonly full: boolean;
  /** Keys that the host signs with during this call: with one, `context.sign` works. */
  readonly signing: readonly string[];

  /** @internal */
  constructor(request: wire.PublishRequest) {
    this.attachment = new Attachment(request.attachment);
    this.version = request.version;
    this.units = request.units;
    this.previous = request.previous;
    this.timestampMs = request.timestampMs;
    this.basePath = request.basePath;
    this.baseUrl = request.baseUrl;
    this.full = request.full;
    this.signing = request.signing;
  }
}

/** What `unpublish` works with. */
export class UnpublishRequest {
  readonly attachment: Attachment;
  /** What to take back. */
  readonly publication: Publication;

  /** @internal */
  constructor(request: wire.UnpublishRequest) {
    this.attachment = new Attachment(request.attachment);
    this.publication = request.publication ?? NONE;
  }
}

/** What `reissue` works with. */
export class ReissueRequest {
  readonly attachment: Attachment;
  /** The publication that goes live again. */
  readonly publication: Publication;
  /** The time to write into metadata, milliseconds since 1970. */
  readonly timestampMs: number;
  /** As in `PublishRequest`. */
  readonly signing: readonly string[];

  /** @internal */
  constructor(request: wire.ReissueRequest) {
    this.attachment = new Attachment(request.attachment);
    this.publication = request.publication ?? NONE;
    this.timestampMs = request.timestampMs;
    this.signing = request.signing;
  }
}

/** What `clientConfig` works with. */
export class ClientConfigRequest {
  readonly attachment: Attachment;
  /** The publication to use. */
  readonly publication: Publication;
  /** Where it is served. */
  readonly baseUrl: string;
  /** JSON object, as text. */
  readonly optionsText: string;

  /** @internal */
  constructor(request: wire.ClientConfigRequest) {
    this.attachment = new Attachment(request.attachment);
    this.publication = request.publication ?? NONE;
    this.baseUrl = request.baseUrl;
    this.optionsText = request.options;
  }

  /** The options as the author's own type. What cannot be read is a usage error. */
  options<T>(): T {
    return fromObject<T>("the options", this.optionsText);
  }
}

/** What a client needs to use a publication. */
export interface ClientConfig {
  /** Files for the client. */
  readonly files?: readonly ClientFile[] | undefined;
  /** For programs. */
  readonly data?: Json | undefined;
}

/** A file for the client. */
export interface ClientFile {
  /** Such as `/etc/apt/sources.list.d/NAME.sources`. */
  readonly name: string;
  readonly mediaType?: string | undefined;
  readonly content: Uint8Array | string;
}

/** @internal */
export function clientConfigToWire(config: ClientConfig): wire.ClientConfigResponse {
  const files = config.files?.map(({ name, mediaType, content }) => {
    return { name, mediaType: mediaType ?? "", content: toBuffer(content) };
  });
  const data = config.data === undefined ? "" : toObject("the client's data", config.data);
  return { files: files ?? [], data };
}
