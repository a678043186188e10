/**
 * Items of a listing.
 *
 * @module
 */
import type * as event from "../gen/wharf/v1/event.js";
import { type Unit, unitToWire } from "./unit.js";

/** One item of `list`: a unit with exactly one file, and a revision that changes with its bytes. */
export interface ListedItem {
  /** If its file says nothing about where the bytes are, the host asks `fetch`. */
  readonly unit: Unit;
  /** Changes whenever the bytes may have changed; an item with the same revision is not fetched again. */
  readonly revision: string;
  /** When it was last changed, in milliseconds since 1970. */
  readonly modifiedMs?: number | undefined;
}

/** @internal */
export function listedToWire(item: ListedItem): event.ListedItem {
  return { unit: unitToWire(item.unit), revision: item.revision, modifiedMs: item.modifiedMs ?? 0 };
}
