/**
 * Entries of a publication.
 *
 * @module
 */
import type * as event from "../gen/wharf/v1/event.js";
import { toBuffer } from "./unit.js";

/** Where a published file's bytes are; exactly one of these. */
export type PublishedFrom =
  /** A file of a unit of the published version, by the unit's number and the path that the file has in it. */
  | { readonly unit: { readonly id: number; readonly path: string } }
  /** Bytes in the store that belong to the published version, as `sha256:HEX`. */
  | { readonly digest: string }
  /** A file below the work folder, named relative to it. The host takes it over. */
  | { readonly staged: string }
  /** The bytes themselves, at most 64 KiB. */
  | { readonly inline: Uint8Array | string };

/** One file of a publication. */
export type PublishedFile = PublishedFrom & {
  readonly path: string;
  /** The media type that clients are told. */
  readonly mediaType?: string | undefined;
  /** When it was last changed, in milliseconds since 1970; without it, the time of going live. */
  readonly modifiedMs?: number | undefined;
  /** A file that clients read first; the host asks for a fresh one on rollback. */
  readonly entryPoint?: boolean | undefined;
  /** Response headers: cache-control, content-disposition, content-language. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/** @internal */
export function publishedToWire(file: PublishedFile): event.PublishedFile {
  return {
    path: file.path,
    from: fromToWire(file),
    mediaType: file.mediaType ?? "",
    modifiedMs: file.modifiedMs ?? 0,
    entryPoint: file.entryPoint ?? false,
    headers: { ...file.headers },
  };
}

function fromToWire(from: PublishedFrom): event.PublishedFile["from"] {
  if ("unit" in from) return { $case: "unit", value: { unit: from.unit.id, path: from.unit.path } };
  if ("digest" in from) return { $case: "digest", value: from.digest };
  if ("staged" in from) return { $case: "staged", value: from.staged };
  return { $case: "inline", value: toBuffer(from.inline) };
}
