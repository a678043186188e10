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
import type { Environment } from "./environment.js";
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
  try {
    const dialer = new Dialer(security?.client);
    const calls = new Calls(dialer, grace);
    const end = new Ending(calls);
    const over = new AbortController();
    setMaxListeners(0, over.signal);
    const server = new Server({
      "grpc.max_receive_message_length": MAX_MESSAGE,
      "grpc.max_send_message_length": MAX_MESSAGE,
    });
    const all = [...processServices(() => end.ask("the host's word"), over.signal), ...services(registry, calls)];
    for (const [definition, implementation] of all) server.addService(definition, implementation);
    await bind(server, socket, security?.server ?? ServerCredentials.createInsecure());
    if (environment.socketGroup !== undefined) share(socket.path, environment.socketGroup);
    announce(handshake(environment, socket, security));
    await end.asked;
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

  constructor(calls: Calls) {
    this.asked = new Promise((resolve) => (this.#resolve = resolve));
    const parent = process.ppid;
    const look = setInterval(() => {
      if (process.ppid !== parent) this.ask("the end of the parent process");
    }, LOOK);
    look.unref();
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => this.ask("SIGTERM"));
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
