/**
 * Service `Builder`.
 *
 * @module
 */
import type { Calls } from "../../context/calls.js";
import type * as wire from "../../gen/wharf/v1/builder.js";
import { BuilderService } from "../../gen/wharf/v1/builder.js";
import { BuildRequest } from "../../role/builder.js";
import type { Registry } from "../registry.js";
import { bind, encoded, long, type Service } from "./support.js";

export function builderService(registry: Registry, calls: Calls): Service {
  const build = (request: wire.BuildRequest): BuildRequest => new BuildRequest(request);
  const implementation = {
    build: long(calls, "build", build, ({ instance }) =>
      bind(registry.role("builder", instance?.component ?? ""), "build"),
    ),
  };
  return [{ build: encoded(BuilderService.build) }, implementation];
}
