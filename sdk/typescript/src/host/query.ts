/**
 * Units of a repository's version.
 *
 * @module
 */
import type { Units } from "../gen/wharf/v1/event.js";
import type * as wire from "../gen/wharf/v1/host.js";
import { type FieldEquals, fieldToWire } from "../model/reference.js";
import { StoredUnit } from "../model/unit.js";
import type { Route } from "./dial.js";

/**
 * Which units, what of them, in which order. Nothing set: all units of the job's version, the one to publish or the base
 * of a sync; in a migration all units of the plugin's types.
 */
export interface Query {
  /** Only units of these types; none means all. */
  readonly types?: readonly string[] | undefined;
  /** Of another version than the job's. */
  readonly version?: number | undefined;
  /** Of another repository, if the job was granted it. */
  readonly repository?: string | undefined;
  /** Only units whose fields have these values; all must hold. */
  readonly where?: readonly FieldEquals[] | undefined;
  /** Only these fields of key and attributes are sent; none means all. */
  readonly fields?: readonly string[] | undefined;
  /** Ascending by these key or attribute fields, compared bytewise. */
  readonly orderBy?: readonly string[] | undefined;
  /** Units come without their files. */
  readonly withoutFiles?: boolean | undefined;
}

/** The answer to a query: units one by one, or by `pages()` as they arrive. */
export class UnitPages implements AsyncIterable<StoredUnit> {
  readonly #pages: AsyncGenerator<Units, void, void>;

  /** @internal */
  constructor(route: Route, query: Query) {
    const request = toWire(query);
    this.#pages = route.stream("QueryUnits", (host, metadata) => host.queryUnits(request, metadata));
  }

  /** Page by page, each with at least one unit. */
  async *pages(): AsyncGenerator<StoredUnit[], void, void> {
    for await (const page of this.#pages) {
      if (page.units.length > 0) yield page.units.map((unit) => new StoredUnit(unit));
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StoredUnit, void, void> {
    for await (const page of this.pages()) yield* page;
  }
}

function toWire(query: Query): wire.QueryUnitsRequest {
  return {
    repository: query.repository ?? "",
    version: query.version ?? 0,
    types: [...(query.types ?? [])],
    where: query.where?.map(fieldToWire) ?? [],
    fields: [...(query.fields ?? [])],
    orderBy: [...(query.orderBy ?? [])],
    withoutFiles: query.withoutFiles ?? false,
  };
}
