/**
 * Service `Host` over a fake host: every call that a plugin can make, from memory.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  type handleUnaryCall,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerWritableStream,
  status as Status,
} from "@grpc/grpc-js";

import { MAX_BATCH } from "../context/batch.js";
import { Outcome, type Units } from "../gen/wharf/v1/event.js";
import type * as wire from "../gen/wharf/v1/host.js";
import { Downloaded } from "../gen/wharf/v1/host.js";
import { Error as WireError, ErrorClass, type Unit } from "../gen/wharf/v1/model.js";
import { MAX_INLINE_BYTES, type SignForm } from "../host/sign.js";
import { StoredUnit, unitToWire } from "../model/unit.js";
import { digestOf, type FakeHost } from "./fake.js";

const FORMS: readonly string[] = ["clearsign", "detached-armored", "detached-binary"] satisfies SignForm[];

/** An answer that is a plain status. */
class Refused extends Error {
  constructor(
    readonly code: Status,
    readonly details: string,
  ) {
    super(details);
  }
}

interface Caller {
  readonly metadata: { get(name: string): unknown[] };
}

function admit({ metadata }: Caller): void {
  if (metadata.get("wharf-token").length === 0) throw new Refused(Status.UNAUTHENTICATED, "no token");
}

function once<Request, Response>(answer: (request: Request) => Response): handleUnaryCall<Request, Response> {
  return (call, done) => {
    try {
      admit(call);
      done(null, answer(call.request));
    } catch (error) {
      done(error as Refused);
    }
  };
}

function stream<Request, Response>(answers: (request: Request) => Iterable<Response>) {
  return (call: ServerWritableStream<Request, Response>): void => {
    try {
      admit(call);
      for (const answer of answers(call.request)) call.write(answer);
      call.end();
    } catch (error) {
      call.emit("error", error);
    }
  };
}

/** The service. Downloads are staged in `workDir`. */
export function hostService(host: FakeHost, workDir: string) {
  const downloads = new Downloads(host, workDir);
  const noted = (call: string) =>
    once((request: object) => {
      host.asked.push(`${call} ${JSON.stringify(request)}`);
      return {};
    });
  return {
    queryUnits: stream((query: wire.QueryUnitsRequest) => pages(host, query)),
    getUnits: once(({ units }: wire.GetUnitsRequest): Units => ({ units: units.map((ref) => named(host, ref)) })),
    saveUnits: (call: ServerDuplexStream<Units, wire.SavedUnits>) => {
      call.on("data", ({ units }: Units) => call.write({ units: units.map((unit) => save(host, unit)) }));
      call.on("end", () => call.end());
    },
    hasArtifacts: once(({ digests }: wire.HasArtifactsRequest) => ({
      present: digests.map((digest) => host.artifacts.has(digest)),
    })),
    openArtifact: stream(({ digest, offset }: wire.OpenArtifactRequest) => {
      const bytes = host.artifacts.get(digest);
      if (bytes === undefined) throw new Refused(Status.NOT_FOUND, `no artifact ${digest}`);
      return [{ data: bytes.subarray(offset) }];
    }),
    putArtifact: (
      call: ServerReadableStream<wire.ArtifactChunk, wire.PutArtifactResponse>,
      done: sendUnaryData<wire.PutArtifactResponse>,
    ) => {
      const chunks: Buffer[] = [];
      call.on("data", ({ data }: wire.ArtifactChunk) => chunks.push(data));
      call.on("end", () => {
        const bytes = Buffer.concat(chunks);
        done(null, { digest: host.store(bytes), size: bytes.length });
      });
    },
    download: stream(({ items }: wire.DownloadRequest) =>
      items.map((item, index) => Downloaded.fromPartial({ ...downloads.answer(item), index })),
    ),
    getSecret: once(({ name }: wire.GetSecretRequest) => {
      const value = host.secret(name);
      if (value === undefined) throw new Refused(Status.NOT_FOUND, `no secret ${name}`);
      return { value };
    }),
    getState: once(({ scope, key }: wire.GetStateRequest): wire.GetStateResponse => {
      return host.state.get(`${scope}/${key}`) ?? { revision: 0, value: Buffer.alloc(0) };
    }),
    putState: once(({ scope, key, value, revision }: wire.PutStateRequest) => {
      const current = host.state.get(`${scope}/${key}`)?.revision ?? 0;
      if (current !== revision) throw new Refused(Status.ABORTED, `the state has revision ${current}`);
      host.state.set(`${scope}/${key}`, { revision: current + 1, value });
      return { revision: current + 1 };
    }),
    getSettings: once(() => ({ settings: host.settings() })),
    sign: once((request: wire.SignRequest) => sign(host, request, workDir)),
    spawnJob: once((request: wire.SpawnJobRequest) => {
      host.asked.push(`SpawnJob ${JSON.stringify(request.job)}`);
      return { job: host.asked.length };
    }),
    waitJob: once(({ job }: wire.WaitJobRequest) => {
      if (host.asked[job - 1]?.startsWith("SpawnJob ")) return { state: "succeeded" };
      throw new Refused(Status.NOT_FOUND, `no job ${job}`);
    }),
    acquire: once((request: wire.AcquireRequest) => {
      host.asked.push(`Acquire ${JSON.stringify(request)}`);
      return { grant: host.asked.length };
    }),
    release: noted("Release"),
    contribute: noted("Contribute"),
    emit: noted("Emit"),
    watchItems: stream(() => [
      { items: host.units.map((unit) => ({ key: unit.key, outcome: Outcome.ADDED, error: undefined })) },
    ]),
    watchCancel: (call: ServerWritableStream<object, wire.CancelRequested>) => call.on("cancelled", () => call.end()),
  };
}

/** Answers `Download`. */
class Downloads {
  #staged = 0;

  constructor(
    readonly host: FakeHost,
    readonly workDir: string,
  ) {}

  answer(item: wire.Download): Partial<wire.Downloaded> {
    const urls = item.sources.map((source) => source.url);
    const url = urls.find((it) => this.host.read(it) !== undefined) ?? urls[0] ?? "";
    const bytes = this.host.read(url);
    if (bytes === undefined) {
      this.host.requests.push(url);
      return failed("source.not_found", `${url} answered 404 Not Found`);
    }
    const digest = digestOf(bytes);
    const found = { etag: `"${digest}"`, finalUrl: url };
    if (item.ifNoneMatch === found.etag) {
      this.host.requests.push(`${url} (unchanged)`);
      return { ...found, notModified: true };
    }
    this.host.requests.push(url);
    if (item.maxBytes !== 0 && bytes.length > item.maxBytes) {
      return failed("limit.size", `${url} is larger than ${item.maxBytes}`);
    }
    if (item.digests.some((wanted) => wanted.startsWith("sha256:") && wanted !== digest)) {
      return failed("integrity.digest", `${url} has ${digest}`);
    }
    this.#staged += 1;
    const staged = `download-${this.#staged}`;
    writeFileSync(join(this.workDir, staged), bytes);
    return { ...found, staged, size: bytes.length, digest };
  }
}

function failed(code: string, message: string): Partial<wire.Downloaded> {
  return { error: WireError.fromPartial({ class: ErrorClass.OPERATION, code, message }) };
}

/** The fields of key and attributes together; those of the key win. */
function fields(unit: StoredUnit): Record<string, unknown> {
  return { ...unit.readAttributes(), ...unit.readKey() };
}

function* pages(host: FakeHost, query: wire.QueryUnitsRequest): Generator<Units> {
  const wanted = query.where.map(({ name, value }) => [name, JSON.stringify(JSON.parse(value))] as const);
  const found = host.units
    .map((unit) => ({ unit, fields: fields(unit) }))
    .filter(({ unit }) => query.types.length === 0 || query.types.includes(unit.type))
    .filter((it) => wanted.every(([name, value]) => JSON.stringify(it.fields[name]) === value))
    .map(({ unit, fields }) => ({ unit, order: query.orderBy.map((name) => sortText(fields[name])) }))
    .sort((a, b) => compare(a.order, b.order) || a.unit.id - b.unit.id);
  for (let at = 0; at < found.length; at += MAX_BATCH) {
    yield { units: found.slice(at, at + MAX_BATCH).map(({ unit }) => unitToWire(unit)) };
  }
}

function sortText(value: unknown): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
}

function compare(a: readonly Buffer[], b: readonly Buffer[]): number {
  for (const [place, text] of a.entries()) {
    const order = Buffer.compare(text, b[place] ?? Buffer.alloc(0));
    if (order !== 0) return order;
  }
  return 0;
}

function named(host: FakeHost, ref: { id: number; type: string; key: string }): Unit {
  const found = host.units.find((it) => it.id === ref.id || (it.type === ref.type && it.key === ref.key));
  if (found === undefined) throw new Refused(Status.NOT_FOUND, `no unit ${ref.key || ref.id}`);
  return unitToWire(found);
}

function save(host: FakeHost, unit: Unit): wire.SavedUnit {
  const known = host.units.find((it) => it.type === unit.type && it.key === unit.key);
  if (known !== undefined) return { id: known.id, created: false };
  const id = host.units.length + 1;
  host.units.push(new StoredUnit({ ...unit, id }));
  return { id, created: true };
}

function sign(host: FakeHost, request: wire.SignRequest, workDir: string): wire.SignResponse {
  const signer = host.signer();
  if (signer === undefined) throw new Refused(Status.PERMISSION_DENIED, "the attachment names no key");
  if (!FORMS.includes(request.format)) throw new Refused(Status.INVALID_ARGUMENT, request.format);
  const from = request.from;
  if (from === undefined) throw new Refused(Status.INVALID_ARGUMENT, "nothing to sign");
  const bytes = from.$case === "inline" ? from.value : readFileSync(join(workDir, from.value));
  if (from.$case === "inline" && bytes.length > MAX_INLINE_BYTES) {
    throw new Refused(Status.INVALID_ARGUMENT, `${bytes.length} bytes are too many to be sent along`);
  }
  const signed = signer(request.format as SignForm, bytes);
  return {
    signature: Buffer.from(signed.bytes),
    fingerprint: signed.fingerprint,
    publicKey: Buffer.from(signed.publicKey),
  };
}
