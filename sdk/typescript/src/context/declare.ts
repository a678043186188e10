/**
 * What importers and builders tell: units, listings, bytes.
 *
 * @module
 */
import { type Content, ListedItem as WireListedItem } from "../gen/wharf/v1/event.js";
import { Unit as WireUnit, UnitRef as WireUnitRef } from "../gen/wharf/v1/model.js";
import { type ListedItem, listedToWire } from "../model/listed.js";
import { type Keep, keepToWire, refToWire, type UnitRef } from "../model/reference.js";
import { type Source, sourceToWire, toBuffer, type Unit, unitToWire } from "../model/unit.js";
import { Tell } from "./tell.js";

/** The most bytes of one chunk. */
const CHUNK = 512 << 10;

/** What importers and builders tell. All of it throws `PluginError.cancelled()` once the call is cancelled or over. */
export abstract class Declare extends Tell {
  /**
   * The new version contains this unit. The host compares, fetches what is missing and counts. A unit that alone is
   * larger than a message is a fault.
   */
  unit(unit: Unit): Promise<void> {
    return this.events.add("units", (writer) => WireUnit.encode(unitToWire(unit), writer));
  }

  /** Units of the base version that the new version contains too, without sending them again. */
  async keep(keep: Keep): Promise<void> {
    await this.events.send({ $case: "keep", value: keepToWire(keep) });
  }

  /** A unit that the new version does not contain. Additive mode only. */
  remove(unit: UnitRef): Promise<void> {
    return this.events.add("remove", (writer) => WireUnitRef.encode(refToWire(unit), writer));
  }

  /** An item of a listing. An item that alone is larger than a message is a fault. */
  listed(item: ListedItem): Promise<void> {
    return this.events.add("listed", (writer) => WireListedItem.encode(listedToWire(item), writer));
  }

  /** A later listing with this cursor continues behind the items sent so far. */
  async cursor(cursor: string): Promise<void> {
    await this.flush();
    await this.events.send({ $case: "listed", value: { items: [], cursor } });
  }

  /** A unit that others depend on. */
  resolved(unit: UnitRef): Promise<void> {
    return this.events.add("resolved", (writer) => WireUnitRef.encode(refToWire(unit), writer));
  }

  /** The next bytes of a fetched item, in order. Of any size; they are cut as the contract asks. */
  async chunk(bytes: Uint8Array | string): Promise<void> {
    const all = toBuffer(bytes);
    for (let at = 0; at < all.length; at += CHUNK) {
      await this.#content({ $case: "chunk", value: all.subarray(at, at + CHUNK) });
    }
  }

  /** A fetched item's bytes are to be had from this address. */
  async source(source: Source): Promise<void> {
    await this.#content({ $case: "source", value: sourceToWire(source) });
  }

  /** A fetched item's bytes are in this file, named relative to the work folder. */
  async staged(path: string): Promise<void> {
    await this.#content({ $case: "staged", value: path });
  }

  /**
   * In `fetch`, before the bytes: what they really are a revision of, where the item changed since it was listed. Size and
   * revision of the listing then do not count any more.
   */
  async revision(revision: string): Promise<void> {
    await this.events.send({ $case: "content", value: { content: undefined, revision } });
  }

  async #content(content: Content["content"]): Promise<void> {
    await this.events.send({ $case: "content", value: { content, revision: "" } });
  }
}
