/**
 * The plugin's own small state, and its secrets and settings.
 *
 * @module
 */
import type * as wire from "../gen/wharf/v1/host.js";
import type { StateScope } from "../gen/wharf/v1/host.js";
import { fromObject } from "../model/json.js";
import { toBuffer } from "../model/unit.js";
import type { Route } from "./dial.js";

/** A piece of state. */
export interface State {
  /** Changes with every write; 0 means that there is none yet. */
  readonly revision: number;
  /** At most 64 KiB. */
  readonly value: Uint8Array;
}

export async function secret(route: Route, name: string): Promise<Uint8Array> {
  const answer = await route.unary<wire.GetSecretResponse>("GetSecret", (host, metadata, done) =>
    host.getSecret({ name }, metadata, done),
  );
  return answer.value;
}

export async function settings<T>(route: Route): Promise<T> {
  const answer = await route.unary<wire.GetSettingsResponse>("GetSettings", (host, metadata, done) =>
    host.getSettings({}, metadata, done),
  );
  return fromObject<T>("the settings", answer.settings);
}

export async function getState(route: Route, scope: StateScope, key: string): Promise<State | undefined> {
  const { revision, value } = await route.unary<wire.GetStateResponse>("GetState", (host, metadata, done) =>
    host.getState({ scope, key }, metadata, done),
  );
  return revision === 0 ? undefined : { revision, value };
}

export async function putState(
  route: Route,
  scope: StateScope,
  key: string,
  state: { readonly revision: number; readonly value: Uint8Array | string },
  durable: boolean,
): Promise<number> {
  const request = { scope, key, value: toBuffer(state.value), revision: state.revision, durable };
  const answer = await route.unary<wire.PutStateResponse>("PutState", (host, metadata, done) =>
    host.putState(request, metadata, done),
  );
  return answer.revision;
}
