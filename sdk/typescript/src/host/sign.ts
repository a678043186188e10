/**
 * Signatures with the host's key.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { PluginError } from "../errors.js";
import type * as wire from "../gen/wharf/v1/host.js";
import { toBuffer } from "../model/unit.js";
import type { Route } from "./dial.js";

/** The most bytes that are sent along; what is larger is staged. Source: the contract. */
export const MAX_INLINE_BYTES = 64 << 10;

/**
 * How something is signed. `clearsign`: the text, at most 2 MiB of it, and its signature in one readable file.
 * `detached-armored`: the signature alone, as text. `detached-binary`: the signature alone.
 */
export type SignForm = "clearsign" | "detached-armored" | "detached-binary";

/** A signature, and what clients check it with. */
export interface Signed {
  /** The signature; of a text that is signed readably, the whole. */
  readonly bytes: Uint8Array;
  /** The key's: hex digits in upper case. */
  readonly fingerprint: string;
  /** The public key, armored. */
  readonly publicKey: string;
}

export async function sign(route: Route, form: SignForm, bytes: Uint8Array | string, workDir: string): Promise<Signed> {
  const request: wire.SignRequest = { service: "", format: form, from: await from(toBuffer(bytes), workDir) };
  const answer = await route.unary<wire.SignResponse>("Sign", (host, metadata, done) =>
    host.sign(request, metadata, done),
  );
  return { bytes: answer.signature, fingerprint: answer.fingerprint, publicKey: answer.publicKey.toString("utf8") };
}

async function from(bytes: Buffer, workDir: string): Promise<wire.SignRequest["from"]> {
  if (bytes.length <= MAX_INLINE_BYTES) return { $case: "inline", value: bytes };
  const name = `.sign-${randomUUID()}`;
  try {
    await writeFile(join(workDir, name), bytes);
  } catch (cause) {
    const message = "what is to be signed cannot be written to the job's folder";
    throw PluginError.operation("storage.staged", message, { cause, retryable: true });
  }
  return { $case: "staged", value: name };
}
