/**
 * Other jobs that a plugin asks for.
 *
 * @module
 */
import type * as wire from "../gen/wharf/v1/model.js";
import { type Json, toObject } from "./json.js";

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
