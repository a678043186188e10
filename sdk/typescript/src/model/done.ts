/**
 * The good end of a call.
 *
 * @module
 */
import type { Result } from "../gen/wharf/v1/event.js";
import { type Json, toJson, toObject } from "./json.js";
import { toBuffer } from "./unit.js";

/** What may be said with a good end. */
export interface DoneDetails {
  /** How many units or items upstream announced; the host compares it with what came. */
  announced?: number | undefined;
  /** Shown to the user. */
  summary?: Json | undefined;
  /** For rules and dependent jobs. */
  outputs?: Json | undefined;
  /**
   * Kept with the attachment if the job succeeds; comes back as `Attachment.state`. Bytes are kept as they are, every
   * other value as JSON.
   */
  state?: unknown;
  /** The provider's identifier of what was pushed. Only for `publish` with profile push. */
  identifier?: string | undefined;
}

/** The good end of a long call: what a method returns when it did its work. */
export class Done {
  private constructor(
    /** @internal */
    readonly wire: Result,
  ) {}

  /** Something was done. Whether a new version appears is decided by the host's comparison. */
  static changed(details: DoneDetails = {}): Done {
    return Done.#make({ changed: true, nothingToDo: false }, details);
  }

  /** All went well and nothing was changed. */
  static unchanged(details: DoneDetails = {}): Done {
    return Done.#make({ changed: false, nothingToDo: false }, details);
  }

  /** Upstream says that nothing is new: the base version stands as it is. Only for `sync`. */
  static nothingToDo(details: DoneDetails = {}): Done {
    return Done.#make({ changed: false, nothingToDo: true }, details);
  }

  static #make(kind: Pick<Result, "changed" | "nothingToDo">, details: DoneDetails): Done {
    const { announced, summary, outputs, state, identifier } = details;
    return new Done({
      ...kind,
      announced,
      summary: summary === undefined ? "" : toObject("the summary", summary),
      outputs: outputs === undefined ? "" : toObject("the outputs", outputs),
      state: stateBytes(state),
      identifier: identifier ?? "",
    });
  }
}

function stateBytes(state: unknown): Buffer {
  if (state === undefined) return Buffer.alloc(0);
  return state instanceof Uint8Array ? toBuffer(state) : Buffer.from(toJson("the state", state));
}
