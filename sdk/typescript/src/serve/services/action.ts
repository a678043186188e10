/**
 * Service `Action`.
 *
 * @module
 */
import type { Calls } from "../../context/calls.js";
import type * as wire from "../../gen/wharf/v1/action.js";
import { ActionService } from "../../gen/wharf/v1/action.js";
import { RunRequest } from "../../role/action.js";
import type { Registry } from "../registry.js";
import { bind, encoded, long, type Service } from "./support.js";

export function actionService(registry: Registry, calls: Calls): Service {
  const run = (request: wire.RunRequest): RunRequest => new RunRequest(request);
  const implementation = {
    run: long(calls, "run", run, ({ instance }) => bind(registry.role("action", instance?.component ?? ""), "run")),
  };
  return [{ run: encoded(ActionService.run) }, implementation];
}
