/**
 * Standard output belongs to the handshake: what is printed goes to standard error instead, from the moment that this
 * module is loaded, if a host started the program. `console` writes log lines with its levels.
 *
 * It is loaded with the package, so whatever a plugin imports after `wharf-sdk` may print as it likes.
 *
 * @module
 */
import { writeSync } from "node:fs";
import { format } from "node:util";

import { logger } from "../logging.js";
import { isLaunched } from "./environment.js";

if (isLaunched(process.env)) {
  process.stdout.write = process.stderr.write.bind(process.stderr);
  // A host that no longer reads must not keep the plugin from anything.
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", () => undefined);
  const log = logger("console");
  console.trace = (...words: unknown[]) => log.trace(format(...words));
  console.debug = (...words: unknown[]) => log.debug(format(...words));
  console.log = (...words: unknown[]) => log.info(format(...words));
  console.info = (...words: unknown[]) => log.info(format(...words));
  console.warn = (...words: unknown[]) => log.warn(format(...words));
  console.error = (...words: unknown[]) => log.error(format(...words));
}

/** Writes the handshake line: the one thing that goes to standard output. */
export function announce(line: string): void {
  writeSync(1, `${line}\n`);
}
