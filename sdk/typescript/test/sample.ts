/** A plugin of the tests: an importer that does what its `task` setting says. */
import { type Context, Done, type Importer, Plugin, type SyncRequest, type Unit } from "wharf-sdk";

export const MANIFEST = JSON.stringify({
  manifest_version: 1,
  name: "sample",
  version: "1.2.3",
  components: [
    { id: "importer", role: "importer", profile: "content", operations: ["sync"], content_types: ["thing"] },
  ],
});

export const TYPES = JSON.stringify({
  types: [{ id: "thing", unit_key: ["name", { name: "sha256", from: "artifact" }] }],
});

export function thing(name: string, more: Partial<Unit> = {}): Unit {
  return { type: "thing", key: { name }, ...more };
}

/** What a task does. */
export type Task = (context: Context, request: SyncRequest) => Promise<Done>;

/** A plugin whose importer does one of these tasks. */
export function sample(tasks: Record<string, Task>): Plugin {
  const importer: Importer = {
    sync(request, context) {
      const { task } = request.attachment.settings<{ task: string }>();
      const chosen = tasks[task];
      if (chosen === undefined) throw new Error(`no task ${task}`);
      return chosen(context, request);
    },
  };
  return new Plugin(MANIFEST).types(TYPES).importer("importer", importer).grace(100);
}

/** A promise, and what resolves it. */
export class Signal {
  readonly given: Promise<void>;
  give: () => void = () => undefined;

  constructor() {
    this.given = new Promise((resolve) => (this.give = resolve));
  }
}
