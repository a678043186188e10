/**
 * Bytes in the host's store.
 *
 * @module
 */
import { PluginError } from "../errors.js";
import type { PutArtifactResponse } from "../gen/wharf/v1/host.js";
import type { Route } from "./dial.js";
import { batches } from "./download.js";

/** The most bytes of one piece. */
const CHUNK = 512 << 10;

/** What the store made of bytes that it was given. */
export interface Stored {
  /** `sha256:HEX`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export async function hasArtifacts(route: Route, digests: readonly string[]): Promise<boolean[]> {
  const present: boolean[] = [];
  for (const batch of batches(digests)) {
    const answer = await route.unary<{ present: boolean[] }>("HasArtifacts", (host, metadata, done) =>
      host.hasArtifacts({ digests: batch }, metadata, done),
    );
    present.push(...answer.present);
  }
  if (present.length === digests.length) return present;
  const message = `the host answered ${present.length} of ${digests.length} digests`;
  throw PluginError.fault("protocol.has_artifacts", message);
}

export async function* openArtifact(
  route: Route,
  digest: string,
  offset: number,
): AsyncGenerator<Uint8Array, void, void> {
  const chunks = route.stream("OpenArtifact", (host, metadata) => host.openArtifact({ digest, offset }, metadata));
  for await (const { data } of chunks) yield data;
}

export async function putArtifact(
  route: Route,
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<Stored> {
  return route.upload<PutArtifactResponse, { data: Buffer }>(
    "PutArtifact",
    (host, metadata, done) => host.putArtifact(metadata, done),
    pieces(bytes),
  );
}

/** Cuts bytes as the contract asks. */
async function* pieces(
  all: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<{ data: Buffer }, void, void> {
  for await (const bytes of all) {
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < whole.length; at += CHUNK) yield { data: whole.subarray(at, at + CHUNK) };
  }
}
