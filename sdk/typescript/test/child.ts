/** A plugin's process, started and talked to as a host does it. */
import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { createSecureContext } from "node:tls";
import { fileURLToPath } from "node:url";

import { Client, credentials, type MethodDefinition } from "@grpc/grpc-js";
import { Running } from "wharf-sdk/testing";
import { ImporterService, SyncRequest } from "wharf-sdk/wire/importer";

import { type Identity, identity } from "./identity.js";

export const COOKIE = { WHARF_PLUGIN: "0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e" };
const DEADLINE = 20_000;

/** What differs from a start by wharf. */
export interface Wishes {
  /** The program, a file of this folder's build. */
  program?: string;
  /** Variables; an empty one is taken away. */
  environment?: Record<string, string>;
  /** Without TLS. */
  plain?: boolean;
  /** A program that starts the plugin. */
  command?: string[];
}

/** A plugin's process. */
export class Child {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly folder: string;
  readonly identity: Identity;
  readonly process: ChildProcess;
  readonly #out: Interface;
  readonly #err: Interface;
  readonly #ended: Promise<number | string>;

  private constructor(id: Identity, { program = "strange.js", environment = {}, plain = false, command = [] }: Wishes) {
    this.identity = id;
    this.folder = mkdtempSync(join(tmpdir(), "wharf-"));
    const variables = {
      PATH: process.env.PATH,
      ...COOKIE,
      PLUGIN_PROTOCOL_VERSIONS: "1",
      PLUGIN_UNIX_SOCKET_DIR: this.folder,
      PLUGIN_CLIENT_CERT: plain ? "" : id.certificate,
      ...environment,
    };
    const words = [...command, process.execPath, fileURLToPath(new URL(program, import.meta.url))];
    this.process = spawn("/usr/bin/env", words, { env: variables, stdio: ["ignore", "pipe", "pipe"] });
    const { stdout, stderr } = this.process;
    if (stdout === null || stderr === null) throw new Error("the child has no pipes");
    this.#out = createInterface(stdout).on("line", (line) => this.lines.push(line));
    this.#err = createInterface(stderr).on("line", (line) => this.errors.push(line));
    this.#ended = once(this.process, "close").then(([code, signal]) => (code ?? signal) as number | string);
  }

  static async start(wishes: Wishes = {}): Promise<Child> {
    return new Child(await identity(), wishes);
  }

  /** The fields of the handshake line. */
  async handshake(): Promise<string[]> {
    const [line] = this.lines;
    if (line !== undefined) return line.split("|");
    const first: unknown = await within(Promise.race([once(this.#out, "line"), this.#ended]), "handshake");
    if (Array.isArray(first)) return String(first[0]).split("|");
    throw new Error(`it ended with ${String(first)}: ${this.errors.join("\n")}`);
  }

  /** A client, as the host is one; with another identity or version of TLS if wanted. */
  async client(as: Identity = this.identity, tls: "TLSv1.2" | "TLSv1.3" = "TLSv1.3"): Promise<Client> {
    const [, , , address, , certificate] = await this.handshake();
    const options = { "grpc.default_authority": "localhost", "grpc.ssl_target_name_override": "localhost" };
    if (!certificate) return new Client(`unix:${address}`, credentials.createInsecure(), options);
    const ca = pem(certificate);
    const context = createSecureContext({ ca, key: as.key, cert: as.certificate, maxVersion: tls });
    return new Client(`unix:${address}`, credentials.createFromSecureContext(context), options);
  }

  /** The exit status, or the name of the signal that ended it. */
  ended(): Promise<number | string> {
    return within(this.#ended, "end");
  }

  /** The JSON lines of the log whose message is this. */
  logged(message: string): Record<string, unknown>[] {
    const json = this.errors.filter((line) => line.startsWith("{"));
    const lines = json.map((line) => JSON.parse(line) as Record<string, unknown>);
    return lines.filter((line) => line["@message"] === message);
  }

  /** As `logged`, as soon as there is such a line. */
  async said(message: string): Promise<Record<string, unknown>[]> {
    while (this.logged(message).length === 0) await within(once(this.#err, "line"), message);
    return this.logged(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The certificate of a handshake line, PEM. */
export function pem(base64: string): string {
  return new X509Certificate(Buffer.from(base64, "base64")).toString();
}

/** Makes a call that is answered once. */
export function ask<Request, Response>(
  client: Client,
  { path, requestSerialize, responseDeserialize }: MethodDefinition<Request, Response>,
  request: Request,
): Promise<Response> {
  const deadline = Date.now() + DEADLINE;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, { deadline }, (error, response) => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error ?? new Error("no answer"));
    });
  });
}

/** Starts a sync of the sample's importer. */
export function sync(client: Client, task: string, hostAddress = "", workDir = ""): Running {
  const { path, requestSerialize } = ImporterService.sync;
  const settings = JSON.stringify({ task });
  const request = SyncRequest.fromPartial({
    context: { hostAddress, token: "token", workDir },
    attachment: { instance: { component: "importer" }, settings },
  });
  return new Running(
    client.makeServerStreamRequest(path, requestSerialize, (bytes: Buffer) => bytes, request),
    [],
  );
}

async function within<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${DEADLINE} ms`)), DEADLINE);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
