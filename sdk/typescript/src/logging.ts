/**
 * Log lines for the operator, as go-plugin hosts read them: one JSON object a line on standard error, with `@level`,
 * `@message`, `@timestamp`, `@module`, and every field as a key of its own.
 *
 * A line never reaches 64 KiB, where hosts stop reading it as JSON: long texts are cut with a mark. When nobody reads
 * standard error any more, lines are lost and the plugin goes on. Lines for the user of a job are `context.log`.
 *
 * @module
 */
import { inspect } from "node:util";

/** Fields of a line. An error is written with its trace and its causes. */
export type Fields = Readonly<Record<string, unknown>>;

/** Writes lines of one module. */
export interface Logger {
  trace(message: string, fields?: Fields): void;
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

/** How serious a line is. */
export type Level = keyof Logger;

const LEVELS: readonly Level[] = ["trace", "debug", "info", "warn", "error"];
let least = 0;

/** Leaves out lines that are less serious. */
export function logFrom(level: Level): void {
  least = LEVELS.indexOf(level);
}

/** What a text may take before escaping, which makes it six times longer at worst. */
const MAX_TEXT = 4 << 10;
/** What all texts of a line may take before escaping. */
const MAX_TEXTS = 8 << 10;
/** Values of a line that are no texts: each takes little, but so many must not be too much. */
const MAX_FIELDS = 128;
const CUT = "... (cut)";

/** Makes the lines of a module: `logger("deb.index").info("index read", { packages: 1200 })`. */
export function logger(module: string): Logger {
  const at = (level: Level) => (message: string, fields?: Fields) => {
    if (LEVELS.indexOf(level) >= least) write(line(level, module, message, fields));
  };
  return { trace: at("trace"), debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** One line, with its end. */
export function line(level: Level, module: string, message: string, fields: Fields = {}, now = new Date()): string {
  const room = { left: MAX_TEXTS };
  const map: Record<string, unknown> = {};
  map["@level"] = level;
  map["@message"] = cut(message, room);
  // Six digits of fraction, or Go hosts do not read the line.
  map["@timestamp"] = now.toISOString().replace("Z", "000Z");
  map["@module"] = cut(module, room);
  for (const [name, value] of Object.entries(fields).slice(0, MAX_FIELDS)) {
    if (value !== undefined && !name.startsWith("@")) map[name] = plain(value, room);
  }
  return `${JSON.stringify(map)}\n`;
}

function plain(value: unknown, room: { left: number }): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "string") return cut(value, room);
  return cut(value instanceof Error ? trace(value) : inspect(value, { depth: 4, breakLength: Infinity }), room);
}

/** An error with its trace, and the causes behind it. */
function trace(error: Error): string {
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause instanceof Error ? `${own}\ncaused by ${trace(error.cause)}` : own;
}

function cut(text: string, room: { left: number }): string {
  const kept = text.slice(0, Math.min(room.left, MAX_TEXT));
  room.left -= kept.length;
  return kept.length < text.length ? kept + CUT : text;
}

function write(text: string): void {
  process.stderr.write(text);
}
