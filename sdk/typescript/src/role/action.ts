/**
 * Doing something on request.
 *
 * @module
 */
import type { Context } from "../context/context.js";
import type * as wire from "../gen/wharf/v1/action.js";
import type { TestMode } from "../gen/wharf/v1/action.js";
import { Instance } from "../model/attachment.js";
import type { Done } from "../model/done.js";
import { fromObject } from "../model/json.js";
import { StoredUnit } from "../model/unit.js";
import type { Component } from "./component.js";

/** Does something on request. */
export interface Action extends Component {
  /** Does it: `output`, `link`, `job` of the context. */
  run?(request: RunRequest, context: Context): Promise<Done>;
}

/** What `run` works with. */
export class RunRequest {
  readonly instance: Instance;
  /** JSON object, as text; checked. */
  readonly argumentsText: string;
  /** The units it was asked for. */
  readonly units: readonly StoredUnit[];
  /** Who asks. */
  readonly user: string;
  /** Whether it is a test. */
  readonly test: TestMode;
  /** The same key means the same wish: doing it once is enough. */
  readonly idempotencyKey: string;

  /** @internal */
  constructor(request: wire.RunRequest) {
    this.instance = new Instance(request.instance);
    this.argumentsText = request.arguments;
    this.units = request.units.map((unit) => new StoredUnit(unit));
    this.user = request.user;
    this.test = request.test;
    this.idempotencyKey = request.idempotencyKey;
  }

  /** The arguments as the author's own type. What cannot be read is a usage error. */
  arguments<T>(): T {
    return fromObject<T>("the arguments", this.argumentsText);
  }
}
