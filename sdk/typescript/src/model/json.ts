/**
 * JSON as it travels in the contract: the text of an object, in a string.
 *
 * @module
 */
import { PluginError } from "../errors.js";

/** A JSON object: a value to be written, or the text of one that is ready already. */
export type Json = object | string;

/** The text of any JSON value. A value that JSON does not know is a fault. */
export function toJson(what: string, value: unknown): string {
  try {
    const text: unknown = JSON.stringify(value);
    if (typeof text === "string") return text;
  } catch (cause) {
    throw PluginError.fault("internal.json", `${what} cannot be written as JSON`, { cause });
  }
  // Functions and symbols are simply left out.
  throw PluginError.fault("internal.json", `${what} cannot be written as JSON`);
}

/** The text of a JSON object; everything that is JSON but no object is a fault. */
export function toObject(what: string, value: Json): string {
  if (typeof value === "string") return value;
  const text = toJson(what, value);
  if (text.startsWith("{")) return text;
  throw PluginError.fault("internal.json", `${what} must be a JSON object, not ${text}`);
}

/** Reads a JSON object; an empty text is an empty object. What is none is a usage error. */
export function fromObject<T>(what: string, text: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text === "" ? "{}" : text);
  } catch (cause) {
    throw PluginError.usage("config", `${what} cannot be read`, { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as T;
  throw PluginError.usage("config", `${what} must be a JSON object`);
}
