/**
 * A plugin and a fake host inside a test, joined by private sockets.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";

import { Calls } from "../context/calls.js";
import { HostService } from "../gen/wharf/v1/host.js";
import { JobContext } from "../gen/wharf/v1/model.js";
import {
  DescribeRequest,
  type DescribeResponse,
  type HookResponse,
  MigrateRequest,
  PluginService,
} from "../gen/wharf/v1/plugin.js";
import { CHANNEL, Dialer, MAX_MESSAGE } from "../host/dial.js";
import type { Json } from "../model/json.js";
import type { Plugin } from "../serve/plugin.js";
import type { Registry } from "../serve/registry.js";
import { services } from "../serve/services/index.js";
import type { Service } from "../serve/services/support.js";
import { Call, type Ends, long, once, type Wishes } from "./call.js";
import { FakeHost } from "./fake.js";
import { hookRequest, type HookWishes } from "./hook.js";
import { hostService } from "./host.js";
import type { Run } from "./run.js";

/** A plugin that runs inside the test. `close` it, or declare it with `await using`. */
export class Harness {
  /** The folder that calls stage their files in. */
  readonly workDir: string;
  /** A client of the plugin, for calls that `Call` does not make. Nothing is held against the contract. */
  readonly client: Client;
  readonly #registry: Registry;
  readonly #folder: string;
  readonly #servers: Server[] = [];
  readonly #dialer = new Dialer();
  readonly #calls: Calls;

  private constructor(plugin: Plugin) {
    const { registry, grace } = plugin.checked();
    this.#registry = registry;
    this.#calls = new Calls(this.#dialer, grace);
    this.#folder = mkdtempSync(join(tmpdir(), "wharf-"));
    this.workDir = join(this.#folder, "work");
    mkdirSync(this.workDir);
    this.client = new Client(`unix:${this.#socket("plugin")}`, credentials.createInsecure(), CHANNEL);
  }

  /** Starts the plugin beside a fake host. Throws when the plugin and its manifest disagree. */
  static async start(plugin: Plugin, host: FakeHost = new FakeHost()): Promise<Harness> {
    const harness = new Harness(plugin);
    try {
      await harness.#serve("host", [[HostService, hostService(host, harness.workDir)]]);
      await harness.#serve("plugin", services(harness.#registry, harness.#calls));
    } catch (error) {
      await harness.close();
      throw error;
    }
    return harness;
  }

  /** A call to a component, with what differs from a first run with empty settings. */
  call(component: string, wishes: Wishes = {}): Call {
    return new Call(this.#ends(), component, wishes);
  }

  /** Makes `Migrate`: the units that the migration changes. Its units are those of the fake host. */
  async migrate(number: number): Promise<Run> {
    const request = MigrateRequest.fromPartial({ context: this.#job(), number });
    const run = await long(this.#ends(), PluginService.migrate, request).finish();
    const strange = run.units.find((unit) => unit.id === 0);
    if (strange === undefined) return run;
    throw new Error(`contract: a migration changes units that are there, by their id; ${strange.key} has none`);
  }

  /**
   * Makes `Hook` for `before:STEP` or `after:STEP`; subject: what the step is about. Throws what the call failed with.
   */
  hook(name: string, subject: Json = {}, wishes: HookWishes = {}): Promise<HookResponse> {
    return once(this.client, PluginService.hook, hookRequest(this.#job(), name, subject, wishes));
  }

  /** What the plugin says of itself. */
  describe(): Promise<DescribeResponse> {
    return once(this.client, PluginService.describe, DescribeRequest.create());
  }

  /** Asks the plugin to stop, as a host's Shutdown does: running calls are cancelled, new ones refused. */
  stop(): Promise<void> {
    return this.#calls.stop();
  }

  /** Ends the plugin's calls and removes its folders. */
  async close(): Promise<void> {
    await this.#calls.stop();
    this.client.close();
    this.#dialer.close();
    for (const server of this.#servers) server.forceShutdown();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ends(): Ends {
    return { client: this.client, types: this.#registry.types, job: this.#job() };
  }

  /** What a call is told about its job. */
  #job(): JobContext {
    const hostAddress = `unix://${this.#socket("host")}`;
    return JobContext.fromPartial({ hostAddress, token: "test-token", job: 1, workDir: this.workDir, attempt: 1 });
  }

  #socket(name: string): string {
    return join(this.#folder, name);
  }

  #serve(name: string, all: readonly Service[]): Promise<void> {
    const server = new Server({ "grpc.max_receive_message_length": MAX_MESSAGE, "grpc.max_send_message_length": -1 });
    this.#servers.push(server);
    for (const [definition, implementation] of all) server.addService(definition, implementation);
    return new Promise((resolve, reject) => {
      server.bindAsync(`unix:${this.#socket(name)}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }
}
