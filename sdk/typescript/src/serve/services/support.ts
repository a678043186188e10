/**
 * What the services share: encoded events as answers, and the way from a request to a component's method.
 *
 * @module
 */
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServiceDefinition,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";

import { type Calls, type Long, refuse, type Way } from "../../context/calls.js";
import type { Context } from "../../context/context.js";
import { PluginError } from "../../errors.js";
import type { Event } from "../../gen/wharf/v1/event.js";
import type { Attachment, JobContext } from "../../gen/wharf/v1/model.js";
import type { Done } from "../../model/done.js";
import { toBuffer } from "../../model/unit.js";
import { Refusal } from "../registry.js";

/** A service, and what answers for it. */
export type Service = readonly [ServiceDefinition, UntypedServiceImplementation];

/** The same call, answered with encoded events: they are encoded where their size counts, and only once. */
export function encoded<Request>(definition: MethodDefinition<Request, Event>): MethodDefinition<Request, Uint8Array> {
  return { ...definition, responseSerialize: toBuffer, responseDeserialize: (bytes: Buffer) => bytes };
}

/** A method of a component, bound to it; undefined when it has none. */
type Method<Request> = ((request: Request, context: Context) => Promise<Done>) | undefined;

/** A handler of a long call: finds the method and runs it. */
export function long<Wire extends { context: JobContext | undefined }, Request>(
  calls: Calls,
  operation: string,
  make: (wire: Wire) => Request,
  find: (wire: Wire) => Method<Request>,
): handleServerStreamingCall<Wire, Uint8Array> {
  return (call: Long<Wire>) => {
    refusing(
      (refusal) => refuse(call, refusal),
      () => {
        const method = find(call.request);
        calls.start(call, call.request.context, async (context) => {
          if (method === undefined) throw PluginError.notOffered(operation);
          return method(make(call.request), context);
        });
      },
    );
  };
}

/** A handler of a call that is answered once. */
export function once<Wire, Response, Found>(
  calls: Calls,
  find: (wire: Wire) => Found,
  method: (wire: Wire, found: Found) => Response | Promise<Response>,
): handleUnaryCall<Wire, Response> {
  return (call, answer) => {
    refusing(answer, () => {
      const found = find(call.request);
      calls.answer(answer, () => method(call.request, found));
    });
  };
}

/** A handler of a call that is answered once, by a method that may ask the host. */
export function asking<Wire extends { context: JobContext | undefined }, Response, Found>(
  calls: Calls,
  find: (wire: Wire) => Found,
  method: (wire: Wire, found: Found, way: Way) => Promise<Response>,
): handleUnaryCall<Wire, Response> {
  return (call, answer) => {
    refusing(answer, () => {
      const found = find(call.request);
      calls.ask(call, answer, call.request.context, (way) => method(call.request, found, way));
    });
  };
}

function refusing(refuse: (refusal: Refusal) => void, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(error);
  }
}

/** The component that an attachment is of. */
export function component(attachment: Attachment | undefined): string {
  return attachment?.instance?.component ?? "";
}

/** A component's method, bound to it. */
export function bind<T extends object, K extends keyof T>(component: T, name: K): T[K] {
  const method = component[name];
  return typeof method === "function" ? (method.bind(component) as T[K]) : method;
}
