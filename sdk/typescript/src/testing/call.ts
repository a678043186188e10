/**
 * A call, as a host would make it.
 *
 * @module
 */
import type { Client, MethodDefinition } from "@grpc/grpc-js";

import { ActionService, RunRequest, TestMode } from "../gen/wharf/v1/action.js";
import { BuilderService, BuildRequest, type Stage, type Target, type Template } from "../gen/wharf/v1/builder.js";
import {
  ClientConfigRequest,
  type ClientConfigResponse,
  DistributorService,
  type Publication,
  PublishRequest,
  ReissueRequest,
  UnpublishRequest,
} from "../gen/wharf/v1/distributor.js";
import type { Event, ListedItem } from "../gen/wharf/v1/event.js";
import {
  FetchRequest,
  ImporterService,
  ListRequest,
  Mode,
  Policy,
  ResolveRequest,
  SyncRequest,
  UploadRequest,
} from "../gen/wharf/v1/importer.js";
import { Attachment, type JobContext } from "../gen/wharf/v1/model.js";
import {
  AttachedRequest,
  CheckRequest,
  type CheckResponse,
  CheckScope,
  type Choice,
  ChoicesRequest,
  DetachedRequest,
  PlanRequest,
  type PlanResponse,
  PluginService,
  ReadyRequest,
  type ReadyResponse,
} from "../gen/wharf/v1/plugin.js";
import { type Contribution, contributionToWire } from "../model/job.js";
import { type Json, toObject } from "../model/json.js";
import { refToWire, type UnitRef } from "../model/reference.js";
import { type File, fileToWire, toBuffer, type Unit, unitToWire } from "../model/unit.js";
import type { TypeDefinition } from "../serve/manifest.js";
import { type Run, Running } from "./run.js";

/** What differs from a first run with empty settings. */
export interface Wishes {
  /** The effective settings; for builders the parameters, for actions the arguments. */
  readonly settings?: Json | undefined;
  /** The kept state of the run before: `Run.state()`. */
  readonly state?: Uint8Array | string | undefined;
  /** Names of secrets that the instance has. */
  readonly secrets?: readonly string[] | undefined;
  /** Upstream's shortcuts must not be used. */
  readonly full?: boolean | undefined;
  /** How the last sync ended; without this there was none. */
  readonly last?: "succeeded" | "partial" | undefined;
  /** The mode of a sync; mirror without this. */
  readonly mode?: Mode | undefined;
  /** The policy of a sync; immediate without this. */
  readonly policy?: Policy | undefined;
  /** What an earlier attempt of a sync left. */
  readonly checkpoint?: Uint8Array | string | undefined;
  /** Where an earlier listing left off. */
  readonly cursor?: string | undefined;
  /** The time to write into a publication's metadata. */
  readonly timestampMs?: number | undefined;
  /** The publication before. */
  readonly previous?: Publication | undefined;
  /** The name of the key that the host signs with. */
  readonly signing?: string | undefined;
  /** What a builder makes something of. */
  readonly template?: Template | undefined;
  /** What a builder builds for; what is not set is "any". */
  readonly target?: Partial<Target> | undefined;
  /** The unit of the stage before; its files lie in the work folder. */
  readonly parent?: Unit | undefined;
  /** What hooks and earlier steps gave to a build. */
  readonly contributions?: readonly Contribution[] | undefined;
  /** The provider that a snapshot is made on: its settings. */
  readonly provider?: Json | undefined;
  /** Whether an action is only to say what it would do; for real without this. */
  readonly test?: TestMode | undefined;
}

/** @internal What a call needs of its harness. */
export interface Ends {
  readonly client: Client;
  readonly types: readonly TypeDefinition[];
  readonly job: JobContext;
}

/** A call to one component. */
export class Call {
  readonly #ends: Ends;
  readonly #component: string;
  readonly #wishes: Wishes;

  /** @internal */
  constructor(ends: Ends, component: string, wishes: Wishes) {
    this.#ends = ends;
    this.#component = component;
    this.#wishes = wishes;
  }

  /** Starts `sync` and hands out its events one by one. */
  startSync(): Running {
    const { mode = Mode.MIRROR, policy = Policy.IMMEDIATE, full, last, checkpoint } = this.#wishes;
    const request = SyncRequest.fromPartial({
      ...this.#job(),
      mode,
      policy,
      full,
      last: last && { finishedMs: 1, version: 1, outcome: last },
      checkpoint: toBuffer(checkpoint ?? ""),
    });
    return this.#long(ImporterService.sync, request);
  }

  /** Makes `sync`. */
  sync(): Promise<Run> {
    return this.startSync().finish();
  }

  /** Makes `list`. */
  list(): Promise<Run> {
    const request = ListRequest.fromPartial({ ...this.#job(), cursor: this.#wishes.cursor });
    return this.#long(ImporterService.list, request).finish();
  }

  /** Makes `fetch` for an item that was listed. */
  fetch({ unit, revision }: ListedItem, offset = 0): Promise<Run> {
    const request = FetchRequest.fromPartial({ ...this.#job(), unit, revision, offset });
    return this.#long(ImporterService.fetch, request).finish();
  }

  /** Makes `upload` with files that lie in the work folder, and what the user said of them. */
  upload(files: readonly File[], said: { type?: string; key?: Json; attributes?: Json } = {}): Promise<Run> {
    const key = said.key && toObject("the key", said.key);
    const attributes = said.attributes && toObject("the attributes", said.attributes);
    const request = { ...this.#job(), type: said.type, key, attributes, files: files.map(fileToWire) };
    return this.#long(ImporterService.upload, UploadRequest.fromPartial(request)).finish();
  }

  /** Makes `resolve` for these units of version 1. */
  resolve(units: readonly UnitRef[]): Promise<Run> {
    const request = ResolveRequest.fromPartial({ ...this.#job(), version: 1, units: units.map(refToWire) });
    return this.#long(ImporterService.resolve, request).finish();
  }

  /** Makes `publish` of version 1. */
  publish(): Promise<Run> {
    const { timestampMs, previous, full } = this.#wishes;
    const request = { ...this.#job(), version: 1, basePath: "test", timestampMs, previous, full };
    const message = PublishRequest.fromPartial({ ...request, signing: this.#signing() });
    return this.#long(DistributorService.publish, message).finish();
  }

  /** Makes `unpublish` of a publication. */
  unpublish(publication: Publication): Promise<Run> {
    const request = UnpublishRequest.fromPartial({ ...this.#job(), publication });
    return this.#long(DistributorService.unpublish, request).finish();
  }

  /** Makes `reissue` for the publication with this number. */
  reissue(id: number): Promise<Run> {
    const { timestampMs } = this.#wishes;
    const request = { ...this.#job(), publication: { id, version: 1 }, timestampMs, signing: this.#signing() };
    return this.#long(DistributorService.reissue, ReissueRequest.fromPartial(request)).finish();
  }

  /** Makes `ClientConfig` for publication 1, served at this address. Throws what the call failed with. */
  clientConfig(baseUrl: string): Promise<ClientConfigResponse> {
    const { attachment } = this.#job();
    const request = ClientConfigRequest.fromPartial({ attachment, publication: { id: 1, version: 1 }, baseUrl });
    return this.#once(DistributorService.clientConfig, request);
  }

  /** Makes `build`, with the settings as parameters. */
  build(stage: Stage): Promise<Run> {
    const { context, attachment } = this.#job();
    const request = { context, instance: attachment.instance, stage, parameters: attachment.settings };
    const { template, target, parent, contributions = [], provider } = this.#wishes;
    const message = BuildRequest.fromPartial({
      ...request,
      template,
      target,
      parent: parent && unitToWire(parent),
      contributions: contributions.map(contributionToWire),
      provider: provider === undefined ? undefined : { name: "default", settings: toObject("the settings", provider) },
    });
    return this.#long(BuilderService.build, message).finish();
  }

  /** Makes `run` for these units, with the settings as arguments. */
  run(units: readonly Unit[] = []): Promise<Run> {
    const { context, attachment } = this.#job();
    const request = RunRequest.fromPartial({
      context,
      instance: attachment.instance,
      arguments: attachment.settings,
      units: units.map(unitToWire),
      test: this.#wishes.test ?? TestMode.OFF,
    });
    return this.#long(ActionService.run, request).finish();
  }

  /**
   * Makes `Check` for an attachment, with the settings as values. Problems of the values are in the answer; throws what
   * the call itself failed with.
   */
  check(): Promise<CheckResponse> {
    const { context, attachment } = this.#job();
    const { settings: values, repository } = attachment;
    const request = { component: this.#component, scope: CheckScope.ATTACHMENT, values, repository, context };
    return this.#once(PluginService.check, CheckRequest.fromPartial(request));
  }

  /** Makes `Ready` for the instance. No reasons: it is. Throws what the call itself failed with. */
  ready(): Promise<ReadyResponse> {
    const { instance } = this.#job().attachment;
    return this.#once(PluginService.ready, ReadyRequest.fromPartial({ instance }));
  }

  /** Makes `Choices` for a field, with the settings as what is filled in. Throws what the call failed with. */
  async choices(field: string): Promise<Choice[]> {
    const { settings: values } = this.#job().attachment;
    const request = ChoicesRequest.fromPartial({ component: this.#component, field, values });
    return (await this.#once(PluginService.choices, request)).choices;
  }

  /** Tells that the instance was bound to a repository. Throws what the call failed with. */
  async attached(): Promise<void> {
    await this.#once(PluginService.attached, AttachedRequest.fromPartial(this.#job()));
  }

  /** Tells that the instance is about to be unbound. Throws what the call failed with. */
  async detached(): Promise<void> {
    await this.#once(PluginService.detached, DetachedRequest.fromPartial(this.#job()));
  }

  /** Makes `Plan` for an operation, with the settings as arguments. Throws what the call failed with. */
  plan(operation: string): Promise<PlanResponse> {
    const { instance, settings } = this.#job().attachment;
    return this.#once(PluginService.plan, PlanRequest.fromPartial({ instance, operation, arguments: settings }));
  }

  #job(): { context: JobContext; attachment: Attachment } {
    const { settings = {}, state = "", secrets = [] } = this.#wishes;
    const attachment = Attachment.fromPartial({
      instance: { component: this.#component, name: "default", settings: "{}", secrets: [...secrets] },
      repository: "test",
      settings: toObject("the settings", settings),
      state: toBuffer(state),
    });
    return { context: this.#ends.job, attachment };
  }

  #signing(): string[] {
    return this.#wishes.signing === undefined ? [] : [this.#wishes.signing];
  }

  #long<Request>(definition: MethodDefinition<Request, Event>, request: Request): Running {
    return long(this.#ends, definition, request);
  }

  #once<Request, Response>(definition: MethodDefinition<Request, Response>, request: Request): Promise<Response> {
    return once(this.#ends.client, definition, request);
  }
}

/** @internal Starts a long call whose events are held against the contract as they arrive. */
export function long<Request>(ends: Ends, definition: MethodDefinition<Request, Event>, request: Request): Running {
  const { path, requestSerialize } = definition;
  const call = ends.client.makeServerStreamRequest(path, requestSerialize, (bytes: Buffer) => bytes, request);
  return new Running(call, ends.types);
}

/** @internal Makes a call that is answered once. */
export function once<Request, Response>(
  client: Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error ?? new Error(`${path} was answered with nothing`));
    });
  });
}
