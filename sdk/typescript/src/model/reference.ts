/**
 * Naming units without sending them.
 *
 * @module
 */
import type * as event from "../gen/wharf/v1/event.js";
import type * as wire from "../gen/wharf/v1/model.js";
import { type Json, toJson, toObject } from "./json.js";

/** Names a unit: by the host's number, or by type and key. */
export interface UnitRef {
  readonly id?: number | undefined;
  readonly type?: string | undefined;
  readonly key?: Json | undefined;
}

/** A field and the value that it must have. */
export interface FieldEquals {
  readonly name: string;
  /** Any JSON value. */
  readonly value: unknown;
}

/**
 * Units of the base version that the new version contains too, without sending them again: all of a type, or with
 * `keys` these, or with `field` those whose field has this value.
 */
export interface Keep {
  /** Empty or not set: of every type. */
  readonly type?: string | undefined;
  readonly keys?: readonly Json[] | undefined;
  readonly field?: FieldEquals | undefined;
}

/** @internal */
export function refToWire(ref: UnitRef): wire.UnitRef {
  const key = ref.key === undefined ? "" : toObject("a unit's key", ref.key);
  return { id: ref.id ?? 0, type: ref.type ?? "", key };
}

/** @internal */
export function fieldToWire({ name, value }: FieldEquals): event.FieldEquals {
  return { name, value: toJson("the field's value", value) };
}

/** @internal */
export function keepToWire(keep: Keep): event.Keep {
  return {
    type: keep.type ?? "",
    keys: keep.keys?.map((key) => toObject("a unit's key", key)) ?? [],
    field: keep.field && fieldToWire(keep.field),
  };
}
