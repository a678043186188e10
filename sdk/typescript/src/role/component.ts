/**
 * What every component answers, whatever its role.
 *
 * @module
 */
import type { Route } from "../host/dial.js";
import { secret } from "../host/state.js";
import type * as wire from "../gen/wharf/v1/plugin.js";
import { CheckScope } from "../gen/wharf/v1/plugin.js";
import { Attachment, Instance } from "../model/attachment.js";
import { fromObject, type Json, toJson, toObject } from "../model/json.js";
import type { Job } from "../model/job.js";
import type { UnitRef } from "../model/reference.js";

/** What every component may answer besides the calls of its role. A method that is not there has a good default. */
export interface Component {
  /**
   * Checks and normalises settings or arguments before they are stored or used. The host has held them against the
   * manifest's schema already.
   */
  check?(check: Check): Checked | Promise<Checked>;
  /** Whether an instance could work now. Errors of the answer are the reasons why not. */
  ready?(instance: Instance): Checked | Promise<Checked>;
  /** The choices of a form's field, given what is filled in so far. */
  choices?(field: string, filled: Check): Choice[] | Promise<Choice[]>;
  /** An instance was bound to a repository. */
  attached?(attachment: Attachment): void | Promise<void>;
  /** An instance is about to be unbound from a repository. */
  detached?(attachment: Attachment): void | Promise<void>;
  /** Splits a request into jobs; none means one job, as asked. */
  plan?(plan: Plan): Job[] | Promise<Job[]>;
}

/** Values to check. */
export class Check {
  /** What the values are for. */
  readonly scope: CheckScope;
  /** JSON object, as text. */
  readonly valuesText: string;
  /** The repository, for an attachment. */
  readonly repository: string;
  /** JSON object, as text: the values that are stored now, or empty. */
  readonly previousText: string;
  readonly #route: Route;

  /** @internal */
  constructor(request: Partial<wire.CheckRequest>, route: Route) {
    this.#route = route;
    this.scope = request.scope ?? CheckScope.UNSPECIFIED;
    this.valuesText = request.values ?? "";
    this.repository = request.repository ?? "";
    this.previousText = request.previous ?? "";
  }

  /** The values as the author's own type. What cannot be read is a usage error. */
  values<T>(): T {
    return fromObject<T>("the values", this.valuesText);
  }

  /**
   * A secret that the values name: the value of a setting that the manifest marks with `"format": "secret"`. The host
   * refuses a name that the values do not hold.
   */
  secret(name: string): Promise<Uint8Array> {
    return secret(this.#route, name);
  }
}

/** The answer to a check: what is wrong by field, what deserves a warning, and the values as they are to be kept. */
export class Checked {
  /** @internal */
  readonly wire: wire.CheckResponse = { errors: [], warnings: [], normalised: "" };

  /** Nothing is wrong. */
  static good(): Checked {
    return new Checked();
  }

  /** Something is wrong with a field. Field: JSON pointer, such as `/url`. */
  error(field: string, code: string, message: string): this {
    this.wire.errors.push({ field, code, message });
    return this;
  }

  /** Something about a field deserves a look. */
  warning(field: string, code: string, message: string): this {
    this.wire.warnings.push({ field, code, message });
    return this;
  }

  /** The values as they are to be stored; without it, as they came. What is no JSON object is a fault. */
  normalised(values: Json): this {
    this.wire.normalised = toObject("the values", values);
    return this;
  }
}

/** One choice of a form's field. */
export interface Choice {
  /** Any JSON value. */
  readonly value: unknown;
  /** What people read. */
  readonly label: string;
}

/** @internal */
export function choiceToWire({ value, label }: Choice): wire.Choice {
  return { value: toJson("the choice", value), label };
}

/** A request to split into jobs. */
export class Plan {
  readonly instance: Instance;
  /** The operation asked for. */
  readonly operation: string;
  /** JSON object, as text. */
  readonly argumentsText: string;
  /** The units it was asked for. */
  readonly units: readonly UnitRef[];
  /** Who asks. */
  readonly user: string;

  /** @internal */
  constructor(request: wire.PlanRequest) {
    this.instance = new Instance(request.instance);
    this.operation = request.operation;
    this.argumentsText = request.arguments;
    this.units = request.units;
    this.user = request.user;
  }

  /** The arguments as the author's own type. What cannot be read is a usage error. */
  arguments<T>(): T {
    return fromObject<T>("the arguments", this.argumentsText);
  }
}
