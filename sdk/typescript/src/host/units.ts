/**
 * Units by name, and units that are saved with an answer.
 *
 * @module
 */
import type { Units } from "../gen/wharf/v1/event.js";
import type { SavedUnits } from "../gen/wharf/v1/host.js";
import { refToWire, type UnitRef } from "../model/reference.js";
import { StoredUnit, type Unit, unitToWire } from "../model/unit.js";
import type { Route } from "./dial.js";
import { batches } from "./download.js";

/** What the host made of a unit that it was sent. */
export interface SavedUnit {
  /** The host's number. */
  readonly id: number;
  /** It was not there before. */
  readonly created: boolean;
}

export async function getUnits(route: Route, refs: Iterable<UnitRef>): Promise<StoredUnit[]> {
  const found: StoredUnit[] = [];
  for (const batch of batches(refs)) {
    const units = batch.map(refToWire);
    const answer = await route.unary<Units>("GetUnits", (host, metadata, done) =>
      host.getUnits({ units }, metadata, done),
    );
    found.push(...answer.units.map((unit) => new StoredUnit(unit)));
  }
  return found;
}

/** Sends one batch after the other, each when the answer to the one before is there. */
export async function saveUnits(route: Route, units: Iterable<Unit>): Promise<SavedUnit[]> {
  const saved: SavedUnit[] = [];
  for (const batch of batches(units)) {
    const message: Units = { units: batch.map(unitToWire) };
    const answers = route.stream<SavedUnits>("SaveUnits", (host, metadata) => {
      const call = host.saveUnits(metadata);
      call.end(message);
      return call;
    });
    for await (const answer of answers) saved.push(...answer.units);
  }
  return saved;
}
