/**
 * A plugin of wharf: a manifest, and what answers for each of its components.
 *
 * The manifest is the one truth about what the plugin is and offers: `Describe` is derived from it, and a component
 * without an answer, or an answer without a component, is told at start and in every test.
 *
 * @module
 */
import { readFileSync } from "node:fs";

import { GRACE } from "../context/calls.js";
import { type Level, logFrom } from "../logging.js";
import type { Action } from "../role/action.js";
import type { Builder } from "../role/builder.js";
import type { Distributor } from "../role/distributor.js";
import type { Hooks } from "../role/hooks.js";
import type { Importer } from "../role/importer.js";
import type { Migrations } from "../role/migrations.js";
import { isLaunched, readEnvironment } from "./environment.js";
import { debug, live } from "./life.js";
import { Manifest, readTypes } from "./manifest.js";
import { type Registered, Registry } from "./registry.js";

/** A plugin: its manifest, and what answers for each of the manifest's components. */
export class Plugin {
  readonly #manifest: string;
  readonly #types: string[] = [];
  readonly #components = new Map<string, Registered>();
  #migrations: Migrations | undefined;
  #hooks: Hooks | undefined;
  #level: Level = "debug";
  #grace = GRACE;

  /** A plugin with the text of this manifest. */
  constructor(manifest: string) {
    this.#manifest = manifest;
  }

  /**
   * The plugin whose `plugin.json` lies in this folder, with the types that it names: of a program in `dist` beside it
   * `Plugin.load(new URL("..", import.meta.url))`. Throws when a file is missing.
   */
  static load(folder: URL): Plugin {
    const text = readFileSync(new URL("plugin.json", folder), "utf8");
    const plugin = new Plugin(text);
    for (const file of new Manifest(text).typeFiles) plugin.types(readFileSync(new URL(file, folder), "utf8"));
    return plugin;
  }

  /** Answers for an importer component. */
  importer(id: string, component: Importer): this {
    this.#components.set(id, { role: "importer", component });
    return this;
  }

  /** Answers for a distributor component. */
  distributor(id: string, component: Distributor): this {
    this.#components.set(id, { role: "distributor", component });
    return this;
  }

  /** Answers for a builder component. */
  builder(id: string, component: Builder): this {
    this.#components.set(id, { role: "builder", component });
    return this;
  }

  /** Answers for an action component. */
  action(id: string, component: Action): this {
    this.#components.set(id, { role: "action", component });
    return this;
  }

  /**
   * The text of a file of type definitions that the manifest names: with it, `Describe` names the types too, and the
   * test harness holds units against them. `Plugin.load` does it by itself.
   */
  types(text: string): this {
    this.#types.push(text);
    return this;
  }

  /** Runs the migrations that the manifest names. */
  migrations(migrations: Migrations): this {
    this.#migrations = migrations;
    return this;
  }

  /** Answers for the hooks that components of the manifest subscribe to. */
  hooks(hooks: Hooks): this {
    this.#hooks = hooks;
    return this;
  }

  /** Milliseconds that a cancelled call gets to end by itself before it is left behind; 1,200 without this. */
  grace(milliseconds: number): this {
    this.#grace = milliseconds;
    return this;
  }

  /** The lowest level of `logger` and `console` that goes to the host; debug without this. */
  logLevel(level: Level): this {
    this.#level = level;
    return this;
  }

  /** Serves until the host wants the plugin to stop, and ends the process. The last line of a plugin's program. */
  serve(): Promise<never> {
    return this.#end(({ registry, grace }) => {
      if (!isLaunched(process.env)) throw new Error(byHand(registry.manifest));
      return live(registry, readEnvironment(process.env), grace);
    });
  }

  /**
   * Serves without a host, for a debugger: prints the description that `wharf plugin dev --reattach` takes, and listens
   * without TLS in a private folder. Ctrl-C ends it.
   */
  debug(): Promise<never> {
    return this.#end(({ registry, grace }) => debug(registry, grace));
  }

  async #end(serve: (checked: { registry: Registry; grace: number }) => Promise<void>): Promise<never> {
    try {
      logFrom(this.#level);
      await serve(this.checked());
    } catch (error) {
      process.stderr.write(`${(error as Error).message}\n`);
      process.exit(1);
    }
    process.exit(0);
  }

  /** @internal Holds components and manifest against each other. */
  checked(): { registry: Registry; grace: number } {
    const manifest = new Manifest(this.#manifest);
    const types = this.#types.flatMap(readTypes);
    const registry = new Registry(manifest, types, this.#components, this.#migrations, this.#hooks);
    return { registry, grace: this.#grace };
  }
}

function byHand({ name, version }: Manifest): string {
  return (
    `This is ${name} ${version}, a plugin of wharf. It does nothing when run by hand.\n` +
    "wharf starts it by itself when it is needed: put its folder where wharf looks for plugins.\n" +
    "`wharf plugin list` shows those that wharf finds."
  );
}
