/**
 * Who answers for which component.
 *
 * Manifest and program are held against each other once, before anything else: a component without an answer, an answer
 * without a component, and an operation without a method are told at start and in every test.
 *
 * @module
 */
import { status as Status } from "@grpc/grpc-js";

import type { Action } from "../role/action.js";
import type { Builder } from "../role/builder.js";
import type { Component } from "../role/component.js";
import type { Distributor } from "../role/distributor.js";
import type { Hooks } from "../role/hooks.js";
import type { Importer } from "../role/importer.js";
import type { Migration, Migrations } from "../role/migrations.js";
import type { ComponentEntry, Manifest, TypeDefinition } from "./manifest.js";

/** The answers of each role. */
export interface Roles {
  importer: Importer;
  distributor: Distributor;
  builder: Builder;
  action: Action;
}

/** The name of a role. */
export type RoleName = keyof Roles;

/** An answer for one component. */
export interface Registered {
  readonly role: RoleName;
  readonly component: Component;
}

/** Operations of the manifest that are a method of the same name. */
const METHODS = ["sync", "list", "fetch", "upload", "resolve", "publish", "unpublish", "build", "run"];

/** A call that cannot be answered, as a plain status. */
export class Refusal extends Error {
  constructor(
    readonly code: Status,
    readonly details: string,
  ) {
    super(details);
  }
}

/** The manifest and the answers for its components. */
export class Registry {
  readonly manifest: Manifest;
  readonly types: readonly TypeDefinition[];
  readonly hooks: Hooks | undefined;
  readonly #components: ReadonlyMap<string, Registered>;
  readonly #migrations: Migrations | undefined;

  /** Throws when the manifest and the program disagree. */
  constructor(
    manifest: Manifest,
    types: readonly TypeDefinition[],
    components: ReadonlyMap<string, Registered>,
    migrations: Migrations | undefined,
    hooks: Hooks | undefined,
  ) {
    this.manifest = manifest;
    this.types = types;
    this.#components = components;
    this.#migrations = migrations;
    this.hooks = hooks;
    for (const entry of manifest.components) this.#agrees(entry);
    for (const id of components.keys()) {
      if (manifest.components.every((entry) => entry.id !== id)) {
        throw new Error(`the program registers component "${id}", which plugin.json does not name`);
      }
    }
    agree("migrations", manifest.namesMigrations, migrations !== undefined);
    agree("hooks", manifest.namesHooks, hooks !== undefined);
  }

  #agrees({ id, role, operations }: ComponentEntry): void {
    const found = this.#components.get(id);
    if (found?.role !== role) {
      const is = found === undefined ? "nothing under that id" : `a component of role ${found.role}`;
      throw new Error(
        `plugin.json names component "${id}" with role "${role}", but the program registers ${is}.\n` +
          "Make the calls on Plugin agree with the manifest.",
      );
    }
    const missing = operations?.find((name) => METHODS.includes(name) && !(name in found.component));
    if (missing !== undefined) {
      throw new Error(`plugin.json says that "${id}" offers ${missing}, but it has no method of that name`);
    }
  }

  /** Whether a component has this role. */
  has(role: RoleName): boolean {
    return [...this.#components.values()].some((it) => it.role === role);
  }

  /** The answer of any role for a component. */
  component(id: string): Component {
    return this.#registered(id).component;
  }

  /** The answer of a role for a component. */
  role<R extends RoleName>(role: R, id: string): Roles[R] {
    const found = this.#registered(id);
    if (found.role === role) return found.component;
    throw new Refusal(Status.UNIMPLEMENTED, `component "${id}" is of role ${found.role}, not ${role}`);
  }

  /** A migration, and who runs it. */
  migration(number: number, dryRun: boolean): [Migration, Migrations] {
    const name = this.manifest.migration(number);
    if (name === undefined || this.#migrations === undefined) {
      throw new Refusal(Status.NOT_FOUND, `plugin ${this.manifest.name} has no migration ${number}`);
    }
    return [{ number, name, dryRun }, this.#migrations];
  }

  #registered(id: string): Registered {
    const found = this.#components.get(id);
    if (found !== undefined) return found;
    throw new Refusal(Status.NOT_FOUND, `plugin ${this.manifest.name} has no component "${id}"`);
  }
}

function agree(what: string, named: boolean, registered: boolean): void {
  if (named === registered) return;
  const [says, does] = named ? [what, "none"] : [`no ${what}`, "some"];
  throw new Error(`plugin.json names ${says}, but the program registers ${does}: Plugin.${what}`);
}
