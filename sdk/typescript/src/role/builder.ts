/**
 * Making content from a recipe.
 *
 * @module
 */
import type { Context } from "../context/context.js";
import type * as wire from "../gen/wharf/v1/builder.js";
import type { Stage } from "../gen/wharf/v1/builder.js";
import { Instance } from "../model/attachment.js";
import type { Done } from "../model/done.js";
import type { ReceivedContribution } from "../model/job.js";
import { fromObject } from "../model/json.js";
import { StoredUnit } from "../model/unit.js";
import type { Component } from "./component.js";

/** Makes content from a recipe. */
export interface Builder extends Component {
  /** Makes one unit of one stage: `context.unit` with a staged file. */
  build?(request: BuildRequest, context: Context): Promise<Done>;
}

/** What is built for. An empty field is "any". */
export interface Target {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** What `build` works with. */
export class BuildRequest {
  readonly instance: Instance;
  /** Which stage to make. */
  readonly stage: Stage;
  /** The recipe's media type. */
  readonly templateType: string;
  /** The recipe. */
  readonly template: Uint8Array;
  readonly target: Target;
  /** The unit of the stage before, its files staged below the work folder, the call's own to change. */
  readonly parent: StoredUnit | undefined;
  /** JSON object, as text. */
  readonly parametersText: string;
  /** What hooks and earlier steps gave, in order. */
  readonly contributions: readonly ReceivedContribution[];
  /** The provider that a snapshot is made on. */
  readonly provider: Instance | undefined;

  /** @internal */
  constructor(request: wire.BuildRequest) {
    this.instance = new Instance(request.instance);
    this.stage = request.stage;
    this.templateType = request.template?.mediaType ?? "";
    this.template = request.template?.content ?? new Uint8Array();
    this.target = request.target ?? { name: "", version: "", architecture: "" };
    this.parent = request.parent && new StoredUnit(request.parent);
    this.parametersText = request.parameters;
    this.contributions = request.contributions;
    this.provider = request.provider && new Instance(request.provider);
  }

  /** The parameters as the author's own type. What cannot be read is a usage error. */
  parameters<T>(): T {
    return fromObject<T>("the parameters", this.parametersText);
  }
}
