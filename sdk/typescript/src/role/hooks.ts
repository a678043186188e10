/**
 * Having a say before and after steps of other components' runs.
 *
 * @module
 */
import type { HookContext } from "../context/context.js";
import type { Outcome } from "../context/tell.js";
import { PluginError } from "../errors.js";
import { Outcome as WireOutcome } from "../gen/wharf/v1/event.js";
import * as wire from "../gen/wharf/v1/plugin.js";
import { Instance } from "../model/attachment.js";
import { type Contribution, contributionToWire } from "../model/job.js";
import { fromObject } from "../model/json.js";
import { StoredUnit, type Unit, unitToWire } from "../model/unit.js";

/**
 * Answers for the hooks that the manifest's components subscribe to.
 *
 * A usage or operation error that a method throws is its answer: it refuses the step, or says that what comes after it
 * failed. Anything else is a fault.
 */
export interface Hooks {
  /** Decides on a step that is about to be made. */
  before?(step: Step, context: HookContext): Before | Promise<Before>;
  /** A step was made, or failed: the place to clean up. It may change what was made. */
  after?(step: Step, context: HookContext): After | Promise<After>;
}

const OUTCOMES: Partial<Record<WireOutcome, Outcome | "failed">> = {
  [WireOutcome.ADDED]: "added",
  [WireOutcome.CHANGED]: "changed",
  [WireOutcome.UNCHANGED]: "unchanged",
  [WireOutcome.REMOVED]: "removed",
  [WireOutcome.SKIPPED]: "skipped",
  [WireOutcome.FAILED]: "failed",
};

/** A step that the manifest subscribes to. */
export class Step {
  /** build.base, build.target, publish, unpublish, sync or upload. */
  readonly name: string;
  /** JSON object, as text, that describes what the step is about. */
  readonly subjectText: string;
  /** For `after`: how the step ended. Undefined before the step, and when not known. */
  readonly outcome: Outcome | "failed" | undefined;
  /** For `after`: why the step failed. */
  readonly error: PluginError | undefined;
  /** The component that subscribed, with its settings. */
  readonly instance: Instance;
  /** What the request says to this component: JSON object, as text. */
  readonly parametersText: string;
  /**
   * What the step makes its object of: a base image, its files staged below the work folder. What a hook changes there is
   * what the step is handed.
   */
  readonly parent: StoredUnit | undefined;
  /** For `after`: what the step made, its files staged. Undefined: nothing. */
  readonly unit: StoredUnit | undefined;

  /** @internal */
  constructor(request: wire.HookRequest) {
    this.name = request.name.slice(request.name.indexOf(":") + 1);
    this.subjectText = request.subject;
    this.outcome = OUTCOMES[request.outcome];
    this.error = request.error && PluginError.fromWire(request.error);
    this.instance = new Instance(request.instance);
    this.parametersText = request.parameters;
    this.parent = request.parent && new StoredUnit(request.parent);
    this.unit = request.unit && new StoredUnit(request.unit);
  }

  /** What the step is about, as the author's own type. What cannot be read is a usage error. */
  subject<T>(): T {
    return fromObject<T>("the step's subject", this.subjectText);
  }

  /** What the request says to this component, as the author's own type. What cannot be read is a usage error. */
  parameters<T>(): T {
    return fromObject<T>("the parameters", this.parametersText);
  }
}

/** The answer before a step: one of four decisions, and what the step is given. */
export class Before {
  private constructor(
    /** @internal */
    readonly wire: wire.HookResponse,
  ) {}

  /** The step is made. */
  static proceed(): Before {
    return new Before(answer(wire.HookDecision.PROCEED));
  }

  /** The step counts as done, and nothing is made. */
  static skip(): Before {
    return new Before(answer(wire.HookDecision.SKIP));
  }

  /** The hook made the object itself: this unit, with staged files. */
  static replace(unit: Unit): Before {
    return new Before({ ...answer(wire.HookDecision.REPLACE), unit: unitToWire(unit) });
  }

  /** The step must not be made. A usage or operation error that is thrown says the same. */
  static refuse(error: PluginError): Before {
    return new Before({ ...answer(wire.HookDecision.REFUSE), error: error.toWire() });
  }

  /** Gives something to the step. */
  contribution(contribution: Contribution): this {
    this.wire.contributions.push(contributionToWire(contribution));
    return this;
  }
}

/** The answer after a step. */
export class After {
  private constructor(
    /** @internal */
    readonly wire: wire.HookResponse,
  ) {}

  /** What was made stays as it is. */
  static unchanged(): After {
    return new After(answer(wire.HookDecision.PROCEED));
  }

  /** What was made becomes this unit, with staged files. Attributes and files that it has none of stay. */
  static changed(unit: Unit): After {
    return new After({ ...answer(wire.HookDecision.PROCEED), unit: unitToWire(unit) });
  }
}

function answer(decision: wire.HookDecision): wire.HookResponse {
  return { decision, error: undefined, contributions: [], unit: undefined };
}

/** @internal What the contract expects to go wrong is the answer of a hook, not a failed call. */
export async function hooked(
  hooks: Hooks,
  request: wire.HookRequest,
  context: HookContext,
): Promise<wire.HookResponse> {
  const before = request.name.startsWith("before:");
  const step = new Step(request);
  try {
    const found = before ? await hooks.before?.(step, context) : await hooks.after?.(step, context);
    if (found === undefined) throw PluginError.notOffered(`a hook ${request.name}`);
    return found.wire;
  } catch (thrown) {
    const error = PluginError.from(thrown);
    if (error.notOffered || (error.class !== "usage" && error.class !== "operation")) throw thrown;
    return before ? Before.refuse(error).wire : { ...After.unchanged().wire, error: error.toWire() };
  }
}
