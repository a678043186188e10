/**
 * Units by name, and units that are saved with an answer.
 *
 * @module
 */
import { MAX_BATCH } from "../context/batch.js";
import type { Units } from "../gen/wharf/v1/event.js";
import type { SavedUnits } from "../gen/wharf/v1/host.js";
import { Unit as WireUnit } from "../gen/wharf/v1/model.js";
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

/** Bytes of a message: the contract calls batches of that size the quickest. */
const MESSAGE_BYTES = 256 << 10;

/** Cuts a list as the contract asks, by entries and by bytes. */
function* messages(units: Iterable<Unit>): Generator<Units, void, void> {
  let message: Units = { units: [] };
  let bytes = 0;
  for (const unit of units) {
    const wire = unitToWire(unit);
    const size = WireUnit.encode(wire).finish().length;
    if (message.units.length === MAX_BATCH || (bytes > 0 && bytes + size > MESSAGE_BYTES)) {
      yield message;
      message = { units: [] };
      bytes = 0;
    }
    message.units.push(wire);
    bytes += size;
  }
  if (message.units.length > 0) yield message;
}

/** Sends one batch after the other, each when the answer to the one before is there. */
export async function saveUnits(route: Route, units: Iterable<Unit>): Promise<SavedUnit[]> {
  const saved: SavedUnit[] = [];
  for (const message of messages(units)) {
    const answers = route.stream<SavedUnits>("SaveUnits", (host, metadata) => {
      const call = host.saveUnits(metadata);
      call.end(message);
      return call;
    });
    for await (const answer of answers) saved.push(...answer.units);
  }
  return saved;
}
