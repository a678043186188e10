/**
 * The way to the host: dialled when first needed, with the plugin's own certificate and the host's pinned one; every
 * call carries the job's token.
 *
 * @module
 */
import { once } from "node:events";

import type { ClientDuplexStream, ClientReadableStream, ClientWritableStream } from "@grpc/grpc-js";
import { type ChannelCredentials, type ChannelOptions, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";

import { PluginError } from "../errors.js";
import type { Units } from "../gen/wharf/v1/event.js";
import { HostClient } from "../gen/wharf/v1/host.js";
import type { JobContext } from "../gen/wharf/v1/model.js";

/** Metadata that carries the job's token. Source: the contract. */
const TOKEN = "wharf-token";
/** What a side takes in one message, well above what the contract allows. */
export const MAX_MESSAGE = 64 << 20;
/** Bytes on their way in one stream, so that a few messages fit. */
const WINDOW = 4 << 20;

/** The parameters of every channel of the SDK. The authority is `localhost` on both sides of the contract. */
export const CHANNEL: ChannelOptions = {
  "grpc.default_authority": "localhost",
  "grpc.max_receive_message_length": MAX_MESSAGE,
  "grpc.max_send_message_length": MAX_MESSAGE,
  "grpc-node.flow_control_window": WINDOW,
  "grpc.use_local_subchannel_pool": 1,
};

/** Makes clients of the host, one for all calls of the process. */
export class Dialer {
  readonly #credentials: ChannelCredentials;
  readonly #clients = new Map<string, HostClient>();

  /** Without credentials the way is plain: the host uses no TLS on the plugin's socket either. */
  constructor(secure: ChannelCredentials = credentials.createInsecure()) {
    this.#credentials = secure;
  }

  /** One job's way to the host. Nothing is dialled before the first call. */
  route(job: JobContext, signal: AbortSignal): Route {
    return new Route(() => this.#client(job.hostAddress), job.token, signal);
  }

  /** Closes all connections. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(address: string): HostClient {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const client = new HostClient(target(address), this.#credentials, CHANNEL);
    this.#clients.set(address, client);
    return client;
  }
}

function target(address: string): string {
  const path = address.startsWith("unix://") ? address.slice("unix://".length) : "";
  if (path.startsWith("/")) return `unix:${path}`;
  const message =
    address === ""
      ? "this call came without a way to the host"
      : `the host's address ${JSON.stringify(address)} is not of the form unix:///path`;
  throw PluginError.fault("protocol.host_address", message);
}

type Answer<T> = (error: ServiceError | null, response: T) => void;

/** One job's way to the host: calls end with `PluginError`, and with `PluginError.cancelled()` on a cancel. */
export class Route {
  readonly #client: () => HostClient;
  readonly #token: string;
  readonly #signal: AbortSignal;

  constructor(client: () => HostClient, token: string, signal: AbortSignal) {
    this.#client = client;
    this.#token = token;
    this.#signal = signal;
  }

  /** Makes a call that is answered once. */
  unary<T>(
    name: string,
    make: (host: HostClient, metadata: Metadata, answer: Answer<T>) => { cancel(): void },
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#live();
      const answer: Answer<T> = (error, response) => {
        this.#signal.removeEventListener("abort", cancel);
        if (error === null) resolve(response);
        else reject(this.#failed(name, error));
      };
      const call = make(this.#client(), this.#metadata(), answer);
      const cancel = (): void => call.cancel();
      this.#signal.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Makes a call that takes a stream and is answered once. Waits while the host is behind. */
  async upload<T, R>(
    name: string,
    make: (host: HostClient, metadata: Metadata, answer: Answer<T>) => ClientWritableStream<R>,
    parts: AsyncIterable<R>,
  ): Promise<T> {
    let sending: ClientWritableStream<R> | undefined;
    const answered = this.unary<T>(name, (host, metadata, answer) => (sending = make(host, metadata, answer)));
    // Whoever refuses the bytes says why in the answer.
    const ended = answered.then(
      () => true,
      () => true,
    );
    try {
      for await (const part of parts) {
        if (sending === undefined || sending.write(part)) continue;
        if (await Promise.race([once(sending, "drain").then(() => false), ended])) break;
      }
    } catch (error) {
      // The parts are of the author's making: what went wrong with them is not the host's.
      sending?.cancel();
      await ended;
      throw error;
    }
    sending?.end();
    return answered;
  }

  /** Makes a call that is answered by a stream. Whoever stops reading cancels it. */
  async *stream<T>(
    name: string,
    make: (host: HostClient, metadata: Metadata) => ClientReadableStream<T> | ClientDuplexStream<Units, T>,
  ): AsyncGenerator<T, void, void> {
    this.#live();
    const call = make(this.#client(), this.#metadata());
    const cancel = (): void => call.cancel();
    this.#signal.addEventListener("abort", cancel, { once: true });
    try {
      for await (const answer of call) yield answer as T;
      // A call that was cancelled may end as if all had been said.
      this.#live();
    } catch (error) {
      throw this.#failed(name, error);
    } finally {
      this.#signal.removeEventListener("abort", cancel);
      // What a cancelled call says of itself interests nobody any more.
      call.on("error", () => undefined);
      call.cancel();
    }
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set(TOKEN, this.#token);
    return metadata;
  }

  #live(): void {
    if (this.#signal.aborted) throw PluginError.cancelled();
  }

  #failed(name: string, error: unknown): PluginError {
    return this.#signal.aborted ? PluginError.cancelled() : PluginError.fromStatus(name, error);
  }
}
