/**
 * Instances and attachments: what a call works for, and with which settings.
 *
 * @module
 */
import type * as wire from "../gen/wharf/v1/model.js";
import { fromObject } from "./json.js";

/** A component with settings. */
export class Instance {
  /** The component's id inside the plugin. */
  readonly component: string;
  /** The instance's name, `default` unless the user made named ones. */
  readonly name: string;
  /** JSON object, as text: the plugin-wide settings under the instance's own. */
  readonly settingsText: string;
  /** Names under which `Context.secret` hands out this instance's secrets. */
  readonly secrets: readonly string[];

  /** @internal */
  constructor(instance: wire.Instance | undefined) {
    this.component = instance?.component ?? "";
    this.name = instance?.name ?? "";
    this.settingsText = instance?.settings ?? "";
    this.secrets = instance?.secrets ?? [];
  }

  /** The settings as the author's own type. What cannot be read is a usage error. */
  settings<T>(): T {
    return fromObject<T>("the instance's settings", this.settingsText);
  }
}

/** An instance bound to a repository. */
export class Attachment {
  readonly instance: Instance;
  /** The repository's name. */
  readonly repository: string;
  /** JSON object, as text: the instance's settings under those of the attachment, as `check` normalised them. */
  readonly settingsText: string;
  /** What `Done` kept with the last successful run, as it is; empty at first. */
  readonly stateBytes: Uint8Array;

  /** @internal */
  constructor(attachment: wire.Attachment | undefined) {
    this.instance = new Instance(attachment?.instance);
    this.repository = attachment?.repository ?? "";
    this.settingsText = attachment?.settings ?? "";
    this.stateBytes = attachment?.state ?? new Uint8Array();
  }

  /** The effective settings as the author's own type. What cannot be read is a usage error. */
  settings<T>(): T {
    return fromObject<T>("the attachment's settings", this.settingsText);
  }

  /**
   * The kept state, read as JSON; undefined at first, and when it is no JSON: state is a shortcut, and doing without is
   * always right.
   */
  state<T>(): T | undefined {
    try {
      return JSON.parse(Buffer.from(this.stateBytes).toString("utf8")) as T;
    } catch {
      return undefined;
    }
  }
}
