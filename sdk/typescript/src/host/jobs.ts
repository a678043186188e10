/**
 * Other jobs, what a job holds while it runs, and what it gives to others.
 *
 * @module
 */
import { PluginError } from "../errors.js";
import type { Empty } from "../gen/google/protobuf/empty.js";
import type * as event from "../gen/wharf/v1/event.js";
import type * as wire from "../gen/wharf/v1/host.js";
import { type Contribution, contributionToWire, type Job, jobToWire } from "../model/job.js";
import { fromObject, type Json, toObject } from "../model/json.js";
import type { Route } from "./dial.js";

/** How a job ended. */
export interface JobEnd {
  /** succeeded, partial, failed, cancelled. */
  readonly state: string;
  /** What it left for dependent jobs; an empty object if it ended badly. */
  readonly outputs: object;
  /** Why it failed. */
  readonly error: PluginError | undefined;
}

/** Something that a job holds until it gives it back, or ends. */
export interface Claim {
  /** lock, queue, space. */
  readonly kind: "lock" | "queue" | "space";
  readonly name: string;
  /** Bytes of space, places in a queue. */
  readonly amount?: number | undefined;
  /** Milliseconds to wait for it; 0 or not set: not at all. */
  readonly waitMs?: number | undefined;
}

export async function spawnJob(route: Route, job: Job): Promise<number> {
  const request = { job: jobToWire(job) };
  const answer = await route.unary<wire.SpawnJobResponse>("SpawnJob", (host, metadata, done) =>
    host.spawnJob(request, metadata, done),
  );
  return answer.job;
}

export async function waitJob(route: Route, job: number): Promise<JobEnd> {
  const { state, result, error } = await route.unary<wire.WaitJobResponse>("WaitJob", (host, metadata, done) =>
    host.waitJob({ job }, metadata, done),
  );
  const outputs = fromObject<object>("the job's outputs", result?.outputs ?? "");
  return { state, outputs, error: error && PluginError.fromWire(error) };
}

export async function acquire(route: Route, claim: Claim): Promise<number> {
  const request = { kind: claim.kind, name: claim.name, amount: claim.amount ?? 0, waitMs: claim.waitMs ?? 0 };
  const answer = await route.unary<wire.AcquireResponse>("Acquire", (host, metadata, done) =>
    host.acquire(request, metadata, done),
  );
  return answer.grant;
}

export async function release(route: Route, grant: number): Promise<void> {
  await route.unary<Empty>("Release", (host, metadata, done) => host.release({ grant }, metadata, done));
}

export async function contribute(route: Route, to: string, contribution: Contribution): Promise<void> {
  const request = { to, contribution: contributionToWire(contribution) };
  await route.unary<Empty>("Contribute", (host, metadata, done) => host.contribute(request, metadata, done));
}

export async function emit(route: Route, name: string, payload: Json): Promise<void> {
  const request = { name, payload: toObject("the event's payload", payload) };
  await route.unary<Empty>("Emit", (host, metadata, done) => host.emit(request, metadata, done));
}

export async function* watchItems(route: Route): AsyncGenerator<event.Item, void, void> {
  const answers = route.stream("WatchItems", (host, metadata) => host.watchItems({}, metadata));
  for await (const { items } of answers) yield* items;
}
