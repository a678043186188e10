/**
 * Where a plugin listens: a socket in the folder that the host gave, or in a private one of its own.
 *
 * @module
 */
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Longer paths cannot be bound. Source: the system. */
const MAX_PATH = 107;

/** A place for a socket. */
export interface SocketPlace {
  readonly path: string;
  /** Takes away what was made here. */
  remove(): void;
}

/** Finds a place. Throws when the path would be too long. */
export function place(socketDir: string | undefined): SocketPlace {
  const own = socketDir === undefined ? mkdtempSync(join(tmpdir(), "plugin-")) : undefined;
  const path = join(socketDir ?? own ?? "", `plugin-${process.pid}`);
  const remove = (): void => rmSync(own ?? path, { recursive: true, force: true });
  if (Buffer.byteLength(path) > MAX_PATH) {
    remove();
    throw new Error(`the socket's path has more than ${MAX_PATH} bytes: ${path}. Start the host in a shorter folder`);
  }
  return { path, remove };
}

/** Lets a group use a socket. Throws when there is no such group, or the plugin may not give it away. */
export function share(path: string, group: string): void {
  chownSync(path, process.getuid?.() ?? 0, groupNumber(group));
  chmodSync(path, 0o660);
}

function groupNumber(group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const lines = readFileSync("/etc/group", "utf8").split("\n");
  const number = lines.map((line) => line.split(":")).find(([name]) => name === group)?.[2];
  if (number === undefined) throw new Error(`there is no group ${JSON.stringify(group)} for the plugin's socket`);
  return Number(number);
}
