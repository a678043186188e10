/**
 * The services of every go-plugin process: health, the controller that ends it, and the stream of what is printed.
 *
 * What is printed goes to standard error, so that stream stays open and silent until the end.
 *
 * @module
 */
import { type ServerWritableStream, status as Status } from "@grpc/grpc-js";

import { GRPCControllerService } from "../../gen/goplugin/controller.js";
import type { HealthCheckRequest, HealthCheckResponse } from "../../gen/goplugin/health.js";
import { HealthCheckResponse_ServingStatus as Serving, HealthService } from "../../gen/goplugin/health.js";
import { GRPCStdioService } from "../../gen/goplugin/stdio.js";
import type { Service } from "./support.js";

/** Services whose health is known: the whole, and what go-plugin hosts ask for. */
const HEALTHY = ["", "plugin"];

type Watching = ServerWritableStream<HealthCheckRequest, HealthCheckResponse>;

/** `shutdown` is called when the host wants the plugin to stop. `over` ends what stays open until then. */
export function processServices(shutdown: () => void, over: AbortSignal): Service[] {
  const open = (call: { end(): void }): void => over.addEventListener("abort", () => call.end(), { once: true });
  const health = {
    check: (call: { request: HealthCheckRequest }, answer: (error: object | null, response?: object) => void) => {
      if (HEALTHY.includes(call.request.service)) answer(null, { status: Serving.SERVING });
      else answer({ code: Status.NOT_FOUND, details: `no service ${call.request.service}` });
    },
    watch: (call: Watching) => {
      const known = HEALTHY.includes(call.request.service);
      call.write({ status: known ? Serving.SERVING : Serving.SERVICE_UNKNOWN });
      open(call);
    },
  };
  const controller = {
    shutdown: (_call: unknown, answer: (error: null, response: object) => void) => {
      answer(null, {});
      shutdown();
    },
  };
  return [
    [HealthService, health],
    [GRPCControllerService, controller],
    [GRPCStdioService, { streamStdio: open }],
  ];
}
