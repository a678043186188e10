/**
 * Files that the plugin itself must read, downloaded by the host.
 *
 * @module
 */
import { MAX_BATCH } from "../context/batch.js";
import { PluginError } from "../errors.js";
import type * as wire from "../gen/wharf/v1/host.js";
import { type Source, sourceToWire } from "../model/unit.js";
import type { Route } from "./dial.js";

/** One file to download: an address, or one with conditions. */
export type Download =
  | string
  | {
      /** Tried in order. */
      readonly sources: readonly Source[];
      /** Bytes that the file must have. */
      readonly size?: number | undefined;
      /** Digests that the file must have, as `ALGORITHM:HEX`. */
      readonly digests?: readonly string[] | undefined;
      /** Bytes after which the host gives up. */
      readonly maxBytes?: number | undefined;
      /** The validators of an earlier download; empty ones are left out. Unchanged files are not sent again. */
      readonly unlessUnchanged?: Validators | undefined;
    };

/** What a server gives out to be asked with the next time. */
export interface Validators {
  /** As the server wrote it; may be empty. */
  readonly etag: string;
  /** As the server wrote it; may be empty. */
  readonly lastModified: string;
}

/** A finished download. */
export interface Downloaded extends Validators {
  /** The file, relative to the work folder; undefined when nothing changed. */
  readonly staged: string | undefined;
  /** Bytes. */
  readonly size: number;
  /** `sha256:HEX`. */
  readonly digest: string;
  /** Nothing changed since the validators were given out. */
  readonly notModified: boolean;
  /** Where it came from in the end, after redirects. */
  readonly finalUrl: string;
  /** What the server called it. */
  readonly mediaType: string;
}

/** What became of one of several downloads: the file, or why there is none. */
export type DownloadAnswer =
  | { readonly index: number; readonly downloaded: Downloaded; readonly error?: undefined }
  | { readonly index: number; readonly downloaded?: undefined; readonly error: PluginError };

/** The answers to a list of downloads, in the order in which they are done. */
export async function* downloadAll(
  route: Route,
  downloads: Iterable<Download>,
): AsyncGenerator<DownloadAnswer, void, void> {
  let first = 0;
  for (const batch of batches(downloads)) {
    const items = batch.map(toWire);
    const answers = route.stream("Download", (host, metadata) => host.download({ items }, metadata));
    for await (const answer of answers) yield read(answer, first + answer.index);
    first += batch.length;
  }
}

/** Cuts a list as the contract asks. */
export function* batches<T>(all: Iterable<T>): Generator<T[], void, void> {
  let batch: T[] = [];
  for (const item of all) {
    batch.push(item);
    if (batch.length === MAX_BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function toWire(download: Download): wire.Download {
  const asked = typeof download === "string" ? { sources: [download] } : download;
  return {
    sources: asked.sources.map(sourceToWire),
    size: asked.size,
    digests: [...(asked.digests ?? [])],
    maxBytes: asked.maxBytes ?? 0,
    ifNoneMatch: asked.unlessUnchanged?.etag ?? "",
    ifModifiedSince: asked.unlessUnchanged?.lastModified ?? "",
  };
}

function read(answer: wire.Downloaded, index: number): DownloadAnswer {
  if (answer.error !== undefined) return { index, error: PluginError.fromWire(answer.error) };
  const { size, digest, notModified, etag, lastModified, finalUrl, mediaType } = answer;
  const staged = notModified ? undefined : answer.staged;
  return { index, downloaded: { staged, size, digest, notModified, etag, lastModified, finalUrl, mediaType } };
}
