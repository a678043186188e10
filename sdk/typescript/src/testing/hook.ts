/**
 * What a hook is told, as a host would tell it.
 *
 * @module
 */
import type { PluginError } from "../errors.js";
import { Outcome } from "../gen/wharf/v1/event.js";
import type { JobContext } from "../gen/wharf/v1/model.js";
import { HookRequest } from "../gen/wharf/v1/plugin.js";
import { type Json, toObject } from "../model/json.js";
import { type Unit, unitToWire } from "../model/unit.js";

/** What differs from a component with empty settings and a step that neither needs nor makes a unit. */
export interface HookWishes {
  /** After a step: how it ended. */
  readonly outcome?: Outcome | undefined;
  /** After a step: why it failed. */
  readonly error?: PluginError | undefined;
  /** The component that subscribed. */
  readonly component?: string | undefined;
  /** Its settings. */
  readonly settings?: Json | undefined;
  /** What the request for the step says to it. */
  readonly parameters?: Json | undefined;
  /** What the step makes its object of; its files lie in the work folder. */
  readonly parent?: Unit | undefined;
  /** After a step: what it made; its files lie in the work folder. */
  readonly unit?: Unit | undefined;
}

/** @internal The request of a hook. */
export function hookRequest(context: JobContext, name: string, subject: Json, wishes: HookWishes): HookRequest {
  const { outcome, error, component = "", settings = {}, parameters = {}, parent, unit } = wishes;
  return HookRequest.fromPartial({
    context,
    name,
    subject: toObject("the subject", subject),
    outcome: error === undefined ? outcome : Outcome.FAILED,
    error: error?.toWire(),
    instance: { component, name: "default", settings: toObject("the settings", settings) },
    parameters: toObject("the parameters", parameters),
    parent: parent && unitToWire(parent),
    unit: unit && unitToWire(unit),
  });
}
