/**
 * The error that a plugin's method ends with, and how it travels.
 *
 * An expected error is the last event of a long call. Its class decides how the host treats it, its code says what
 * happened; both are part of the contract. Whatever else is thrown counts as a fault.
 *
 * @module
 */
import { type ServiceError, status as Status } from "@grpc/grpc-js";

import { Error as WireError, ErrorClass, ErrorScope } from "./gen/wharf/v1/model.js";

/**
 * How an error is treated. `usage`: the user can fix it; never retried. `operation`: the outside world failed.
 * `cancelled`: a stop was asked for. `fault`: a bug, on either side.
 */
export type Class = "usage" | "operation" | "cancelled" | "fault";

/** How far an operation error reaches: one item (the run goes on), one attachment, or the run. */
export type Scope = "item" | "attachment" | "run";

/** What may be said about an error besides code and message. */
export interface ErrorDetails {
  /** The item that it is about; the scope is then `item` unless another one is given. */
  item?: string | undefined;
  /** How far it reaches; the run without this. */
  scope?: Scope | undefined;
  /** The setting at fault, as a JSON pointer: `/url`. */
  field?: string | undefined;
  /** Trying again may help. */
  retryable?: boolean | undefined;
  /** Trying again may help, but not earlier than after so many milliseconds. */
  retryAfterMs?: number | undefined;
  /** Further evidence, as the text of a JSON object. */
  details?: string | undefined;
  /** An underlying error; what it says is appended to the message. */
  cause?: unknown;
}

const CLASSES = {
  usage: ErrorClass.USAGE,
  operation: ErrorClass.OPERATION,
  cancelled: ErrorClass.CANCELLED,
  fault: ErrorClass.FAULT,
} as const;

const SCOPES = { item: ErrorScope.ITEM, attachment: ErrorScope.ATTACHMENT, run: ErrorScope.RUN } as const;

/**
 * An error of a plugin, for people and for the host.
 *
 * ```ts
 * throw PluginError.usage("config.url", "the address has no file name", { field: "/url" });
 * ```
 */
export class PluginError extends Error {
  override readonly name = "PluginError";
  /** How it is treated. */
  readonly class: Class;
  /** The stable, dotted code. */
  readonly code: string;
  /** The item it is about, or an empty text. */
  readonly item: string;
  /** How far it reaches. */
  readonly scope: Scope;
  /** The setting at fault, or an empty text. */
  readonly field: string;
  /** Whether trying again may help. */
  readonly retryable: boolean;
  /** Milliseconds after which trying again may help; 0: at once. */
  readonly retryAfterMs: number;
  /** Further evidence, as the text of a JSON object, or an empty text. */
  readonly details: string;
  /** @internal The operation is not there at all. */
  readonly notOffered: boolean = false;

  private constructor(kind: Class, code: string, message: string, more: ErrorDetails) {
    const text = more.cause === undefined ? message : `${message}: ${said(more.cause)}`;
    super(text, more.cause === undefined ? undefined : { cause: more.cause });
    this.class = kind;
    this.code = code;
    this.item = more.item ?? "";
    this.scope = more.scope ?? (more.item === undefined ? "run" : "item");
    this.field = more.field ?? "";
    this.retryAfterMs = more.retryAfterMs ?? 0;
    this.retryable = more.retryable ?? this.retryAfterMs > 0;
    this.details = more.details ?? "";
  }

  /**
   * The user can fix it. Code: stable, dotted, its first word one of the contract's, such as `config.url`. Message:
   * what happened, where, and what to do next.
   */
  static usage(code: string, message: string, more: ErrorDetails = {}): PluginError {
    return new PluginError("usage", code, message, more);
  }

  /** The outside world failed, for the whole run unless `item` or `scope` narrows it. */
  static operation(code: string, message: string, more: ErrorDetails = {}): PluginError {
    return new PluginError("operation", code, message, more);
  }

  /** A stop was asked for. Methods of the context throw this once the call is cancelled: let it through. */
  static cancelled(): PluginError {
    return new PluginError("cancelled", "cancelled", "the call was cancelled", {});
  }

  /** A bug. */
  static fault(code: string, message: string, more: ErrorDetails = {}): PluginError {
    return new PluginError("fault", code, message, more);
  }

  /** The operation is not offered: the answer for every method that a component does not have. */
  static notOffered(operation: string): PluginError {
    const message = `this plugin does not offer ${operation}`;
    const error = new PluginError("usage", "usage.not_offered", message, {});
    return Object.assign(error, { notOffered: true });
  }

  /** The same error, of one item. */
  forItem(item: string): PluginError {
    const { scope, ...more } = this.#more();
    return this.#again({ ...more, item, scope: scope === "run" ? "item" : scope });
  }

  /** @internal Whatever was thrown: itself, or a fault that says what. */
  static from(thrown: unknown): PluginError {
    if (thrown instanceof PluginError) return thrown;
    return PluginError.fault("internal.exception", `the plugin threw ${said(thrown)}`);
  }

  /** @internal What a call to the host failed with. Source: the contract's table of plain statuses. */
  static fromStatus(call: string, failed: unknown): PluginError {
    if (!isServiceError(failed)) return PluginError.from(failed);
    const message = `the host refused ${call}: ${failed.details}`;
    switch (failed.code) {
      case Status.CANCELLED:
        return PluginError.cancelled();
      case Status.NOT_FOUND:
        return PluginError.usage("not_found", message);
      case Status.INVALID_ARGUMENT:
      case Status.FAILED_PRECONDITION:
        return PluginError.usage("usage", message);
      case Status.PERMISSION_DENIED:
      case Status.UNAUTHENTICATED:
        return PluginError.usage("policy", message);
      case Status.ABORTED:
        return PluginError.operation("conflict", message, { retryable: true });
      case Status.UNAVAILABLE:
      case Status.RESOURCE_EXHAUSTED:
        return PluginError.operation("internal.host", message, { retryable: true });
      case Status.UNIMPLEMENTED:
        return PluginError.fault("internal.host.not_offered", `this host does not offer ${call}`);
      default:
        return PluginError.fault("internal.host", message);
    }
  }

  /** @internal An error of the host, as in the answers of `Host.Download`. What is not set is a fault of the run. */
  static fromWire(wire: WireError): PluginError {
    const kind = (Object.keys(CLASSES) as Class[]).find((name) => CLASSES[name] === wire.class);
    const scope = (Object.keys(SCOPES) as Scope[]).find((name) => SCOPES[name] === wire.scope);
    const { item, field, retryable, retryAfterMs, details } = wire;
    const more = { item, scope: scope ?? "run", field, retryable, retryAfterMs, details };
    return new PluginError(kind ?? "fault", wire.code, wire.message, more);
  }

  /** @internal */
  toWire(): WireError {
    return {
      class: CLASSES[this.class],
      code: this.code,
      message: this.message,
      scope: SCOPES[this.scope],
      item: this.item,
      field: this.field,
      retryable: this.retryable,
      retryAfterMs: this.retryAfterMs,
      details: this.details,
    };
  }

  /** @internal What a call that answers once, not with events, ends with. */
  toStatus(): { code: Status; details: string } {
    const codes = {
      usage: Status.INVALID_ARGUMENT,
      operation: Status.UNAVAILABLE,
      cancelled: Status.CANCELLED,
      fault: Status.INTERNAL,
    };
    return { code: this.notOffered ? Status.UNIMPLEMENTED : codes[this.class], details: this.message };
  }

  #more(): ErrorDetails {
    const { item, scope, field, retryable, retryAfterMs, details } = this;
    return { item, scope, field, retryable, retryAfterMs, details };
  }

  #again(more: ErrorDetails): PluginError {
    return new PluginError(this.class, this.code, this.message, more);
  }
}

/** What something that was thrown says, whatever it is. */
export function said(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

function isServiceError(failed: unknown): failed is ServiceError {
  return failed instanceof Error && "code" in failed && "details" in failed && typeof failed.code === "number";
}
