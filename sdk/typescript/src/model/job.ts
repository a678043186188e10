/**
 * Other jobs that a plugin asks for, and what it gives to later steps of a build.
 *
 * @module
 */
import type * as wire from "../gen/wharf/v1/model.js";
import { type Json, toObject } from "./json.js";
import { toBuffer } from "./unit.js";

/** A job to be done. */
export interface Job {
  /** sync, publish, unpublish, build, run. */
  readonly operation: string;
  readonly arguments?: Json | undefined;
  readonly name?: string | undefined;
  readonly queue?: string | undefined;
  readonly weight?: number | undefined;
  readonly priority?: number | undefined;
  /** Places in the same list of jobs that must succeed first. */
  readonly after?: readonly number[] | undefined;
  readonly duplicateKey?: string | undefined;
  readonly spaceBytes?: number | undefined;
}

/** @internal */
export function jobToWire(job: Job): wire.JobSpec {
  return {
    operation: job.operation,
    arguments: job.arguments === undefined ? "" : toObject("the job's arguments", job.arguments),
    name: job.name ?? "",
    queue: job.queue ?? "",
    weight: job.weight ?? 0,
    priority: job.priority ?? 0,
    after: [...(job.after ?? [])],
    duplicateKey: job.duplicateKey ?? "",
    spaceBytes: job.spaceBytes ?? 0,
  };
}

/** Something given to a later step of another component in the same build. */
export interface Contribution {
  /** file, command, package, repository: put into the image. argument: for the builder of the target. */
  readonly kind: string;
  /** The path or the argument's name. */
  readonly name: string;
  readonly content: Uint8Array | string;
  /** Those of a step are taken in ascending order; 0 without this. */
  readonly order?: number | undefined;
}

/** A contribution that was received. */
export type ReceivedContribution = Contribution & { readonly content: Uint8Array; readonly order: number };

/** @internal */
export function contributionToWire({ kind, name, content, order }: Contribution): wire.Contribution {
  return { kind, name, content: toBuffer(content), order: order ?? 0 };
}
