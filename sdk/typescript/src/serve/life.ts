/**
 * A plugin's life under a host: certificate, socket, services, the handshake line, calls, the end in order.
 *
 * It ends on the host's word, on SIGTERM, or when the host is gone. SIGINT is left to the host: Ctrl-C in a terminal
 * reaches plugins too.
 *
 * @module
 */
import { setMaxListeners } from "node:events";

import { Server, ServerCredentials } from "@grpc/grpc-js";

import { Calls } from "../context/calls.js";
import { Dialer, MAX_MESSAGE } from "../host/dial.js";
import { logger } from "../logging.js";
import { APP_VERSIONS, type Environment } from "./environment.js";
import { announce } from "./output.js";
import type { Registry } from "./registry.js";
import { services } from "./services/index.js";
import { processServices } from "./services/process.js";
import { place, share, type SocketPlace } from "./socket.js";
import { pinned, type Security } from "./tls.js";

/** How often the parent is looked for, in milliseconds. */
const LOOK = 1_000;
/** What connections get to close at the end, in milliseconds. */
const LAST_WORDS = 150;

const log = logger("wharf.serve");

/** Lives until the host wants the plugin to stop. Throws when it cannot begin. */
export async function live(registry: Registry, environment: Environment, grace: number): Promise<void> {
  const security = environment.hostCertificate === undefined ? undefined : await pinned(environment.hostCertificate);
  const socket = place(environment.socketDir);
  await within(socket, registry, grace, security, new Ending(underHost), () => {
    if (environment.socketGroup !== undefined) share(socket.path, environment.socketGroup);
    announce(handshake(environment, socket, security));
  });
}

/** Lives without a host, in clear, until Ctrl-C; prints how a host attaches. */
export async function debug(registry: Registry, grace: number): Promise<void> {
  const socket = place(undefined);
  await within(socket, registry, grace, undefined, new Ending(byHand), () => announce(description(socket)));
}

/** Serves at a place until the end. `tell` is called when the socket is there. */
async function within(
  socket: SocketPlace,
  registry: Registry,
  grace: number,
  security: Security | undefined,
  ending: Ending,
  tell: () => void,
): Promise<void> {
  try {
    const dialer = new Dialer(security?.client);
    const calls = new Calls(dialer, grace);
    ending.charge(calls);
    const over = new AbortController();
    setMaxListeners(0, over.signal);
    const server = new Server({
      "grpc.max_receive_message_length": MAX_MESSAGE,
      "grpc.max_send_message_length": MAX_MESSAGE,
    });
    const all = [...processServices(() => ending.ask("the host's word"), over.signal), ...services(registry, calls)];
    for (const [definition, implementation] of all) server.addService(definition, implementation);
    await bind(server, socket, security?.server ?? ServerCredentials.createInsecure());
    tell();
    await ending.asked;
    await calls.stop();
    over.abort();
    await closed(server);
    dialer.close();
  } finally {
    socket.remove();
  }
}

function bind(server: Server, socket: SocketPlace, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`unix:${socket.path}`, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(new Error(`the plugin cannot listen at ${socket.path}: ${error.message}`));
    });
  });
}

function handshake(environment: Environment, socket: SocketPlace, security: Security | undefined): string {
  const fields = [1, environment.app, "unix", socket.path, "grpc", security?.announced ?? ""];
  // Only whoever asks is told, and this SDK does not multiplex.
  if (environment.multiplex) fields.push("false");
  return fields.join("|");
}

/** What a host needs to attach: the JSON object that hosts of go-plugin exchange. */
function description(socket: SocketPlace): string {
  const [version] = APP_VERSIONS;
  const address = { Network: "unix", String: socket.path };
  return JSON.stringify({ Protocol: "grpc", ProtocolVersion: version, Pid: process.pid, Test: true, Addr: address });
}

/** Ends connections politely, and after a moment all the same. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, LAST_WORDS);
    server.tryShutdown(() => {
      clearTimeout(late);
      resolve();
    });
  });
}

/** What ends a plugin, watched from the moment this exists: before anybody can know that the plugin runs. */
class Ending {
  readonly asked: Promise<void>;
  #resolve: () => void = () => undefined;

  constructor(watch: (ask: (why: string) => void) => void) {
    this.asked = new Promise((resolve) => (this.#resolve = resolve));
    watch((why) => this.ask(why));
    process.on("SIGTERM", () => this.ask("SIGTERM"));
  }

  /** Charges what nobody caught to the call that it is of. */
  charge(calls: Calls): void {
    const stray = (error: unknown): void => {
      if (calls.stray(error)) return;
      // Nobody knows what state the program is in now: the host starts another.
      log.error("an error outside of any call ends the plugin", { error });
      process.exit(1);
    };
    process.on("uncaughtException", stray);
    process.on("unhandledRejection", stray);
  }

  ask(why: string): void {
    log.debug("the plugin ends", { why });
    this.#resolve();
  }
}

/** Ctrl-C is the host's, and its end the plugin's. */
function underHost(ask: (why: string) => void): void {
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid !== parent) ask("the end of the parent process");
  }, LOOK);
  look.unref();
  process.on("SIGINT", () => undefined);
}

/** Ctrl-C ends it. */
function byHand(ask: (why: string) => void): void {
  process.on("SIGINT", () => ask("SIGINT"));
}
