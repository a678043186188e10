/**
 * The part of `plugin.json`, and of the types that it names, that the plugin itself goes by. The host reads the rest.
 *
 * @module
 */
import type { DescribeResponse, MigrationsResponse } from "../gen/wharf/v1/plugin.js";

/** What `Describe` needs. */
interface ManifestFile {
  readonly name: string;
  readonly version: string;
  readonly components?: readonly ComponentEntry[];
  readonly types?: readonly string[];
  readonly migrations?: readonly { readonly number: number; readonly name: string }[];
  readonly fast_forward?: boolean;
  readonly removed_up_to?: number;
  readonly removed_hint?: string;
}

/** A component, as the manifest has it. */
export interface ComponentEntry {
  readonly id: string;
  readonly role: string;
  readonly profile?: string;
  readonly operations?: readonly string[];
  readonly content_types?: readonly string[];
  readonly produces?: readonly string[];
  readonly hooks?: readonly object[];
}

type KeyField = string | { readonly name: string; readonly from?: string };

/** What the plugin itself goes by of a type definition. */
export interface TypeDefinition {
  readonly id: string;
  readonly unit_key: KeyField | readonly KeyField[];
}

/** The fields of a type's key, each with whether the host can fill it. */
export function keyFields(type: TypeDefinition): { name: string; filled: boolean }[] {
  const fields: readonly KeyField[] = [type.unit_key].flat();
  return fields.map((field) =>
    typeof field === "string" ? { name: field, filled: false } : { name: field.name, filled: field.from !== undefined },
  );
}

/** The manifest's text, read. */
export class Manifest {
  readonly #file: ManifestFile;

  constructor(text: string) {
    this.#file = parse("plugin.json", text) as ManifestFile;
    if (typeof this.#file.name !== "string" || typeof this.#file.version !== "string") {
      throw new Error("plugin.json names no plugin: name and version are missing");
    }
  }

  get name(): string {
    return this.#file.name;
  }

  get version(): string {
    return this.#file.version;
  }

  get components(): readonly ComponentEntry[] {
    return this.#file.components ?? [];
  }

  /** Files with type definitions, relative to the manifest. */
  get typeFiles(): readonly string[] {
    return this.#file.types ?? [];
  }

  get namesMigrations(): boolean {
    return (this.#file.migrations ?? []).length > 0;
  }

  /** Whether a component subscribes to any. */
  get namesHooks(): boolean {
    return this.components.some(({ hooks }) => hooks !== undefined && hooks.length > 0);
  }

  /** What the migration of this number does. */
  migration(number: number): string | undefined {
    return this.#file.migrations?.find((it) => it.number === number)?.name;
  }

  migrations(): MigrationsResponse {
    return {
      migrations: this.#file.migrations?.map(({ number, name }) => ({ number, name })) ?? [],
      fastForward: this.#file.fast_forward ?? false,
      removedUpTo: this.#file.removed_up_to ?? 0,
      removedHint: this.#file.removed_hint ?? "",
    };
  }

  describe(types: readonly TypeDefinition[]): DescribeResponse {
    return {
      name: this.name,
      version: this.version,
      components: this.components.map((component) => ({
        id: component.id,
        role: component.role,
        profile: component.profile ?? "",
        operations: [...(component.operations ?? [])],
        types: [...new Set([...(component.content_types ?? []), ...(component.produces ?? [])])],
      })),
      types: types.map((type) => type.id),
      features: [],
    };
  }
}

/** Reads a file of type definitions. */
export function readTypes(text: string): readonly TypeDefinition[] {
  const { types } = parse("a file of type definitions", text) as { types?: TypeDefinition[] };
  if (types === undefined) throw new Error("a file of type definitions has no list `types`");
  return types;
}

function parse(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${what} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
