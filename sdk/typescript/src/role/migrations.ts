/**
 * Changing stored data when a newer version of the plugin needs that.
 *
 * @module
 */
import type { Context } from "../context/context.js";
import type { Done } from "../model/done.js";

/**
 * Runs the migrations that the manifest names.
 *
 * wharf calls it once for each number that was not run yet, in order. `context.units()` gives all units of the plugin's
 * types, whoever holds them, as they were before the migration; `context.unit` sends one back changed, with the id it
 * came with. What is left empty stays as it is, and so does every unit that is not sent. Nothing of it counts unless the
 * method ends well: an error, a crash or a cancel leaves all units as they were, and the same number is run again later.
 */
export interface Migrations {
  /** Runs one. Units that are as they should be already are no error: an empty store is met too. */
  migrate(migration: Migration, context: Context): Promise<Done>;
}

/** Which migration to run. */
export interface Migration {
  /** Its number in the manifest. */
  readonly number: number;
  /** What the manifest calls it. */
  readonly name: string;
  /** wharf will store nothing; whatever the plugin changes elsewhere must stay too. */
  readonly dryRun: boolean;
}
