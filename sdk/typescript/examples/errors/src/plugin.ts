/**
 * A plugin for tests: raises each class of error at each call, as its settings say.
 *
 * Without that it works: `sync` declares two notes, `files` lists two and hands out their bytes, `tree` publishes them.
 */
import { writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

import {
  type Check,
  Checked,
  type Context,
  type Distributor,
  Done,
  type FetchRequest,
  type Importer,
  type ListRequest,
  Plugin,
  PluginError,
  type PublishRequest,
  type SyncRequest,
} from "wharf-sdk";

const NOTES = { "a.txt": "the first note\n", "b.txt": "the second note\n" };
const BEAT = 50;

interface Settings {
  at?: string;
  raise?: string;
  hold_ms?: number;
}

/** Sends progress for as long as the settings say, or until a stop is wanted. */
async function hold({ hold_ms = 0 }: Settings, context: Context): Promise<void> {
  const total = Math.floor(hold_ms / BEAT);
  for (let done = 0; done < total; done++) {
    await context.progress({ done, total, unit: "beats", phase: "holding" });
    await pause(BEAT, undefined, { signal: context.signal }).catch(() => {
      throw PluginError.cancelled();
    });
  }
}

/** What each call does before it ends well. */
async function end(call: string, settings: Settings, context: Context): Promise<void> {
  await hold(settings, context);
  if (settings.at !== call) return;
  if (settings.raise === "warning") await context.warn("content.errors", `${call} was asked to warn`);
  else fail(call, settings);
}

/** Throws what the settings ask for. */
function fail(call: string, settings: Settings): void {
  const text = `${call} was asked to fail`;
  switch (settings.raise) {
    case "usage":
      throw PluginError.usage("usage.errors", text);
    case "field":
      throw PluginError.usage("config.errors", text, { field: "/at" });
    case "item":
      throw PluginError.operation("source.errors", text, { item: "a.txt" });
    case "attachment":
      throw PluginError.operation("source.errors", text, { scope: "attachment" });
    case "run":
      throw PluginError.operation("source.errors", text, { scope: "run" });
    case "retry":
      throw PluginError.operation("source.errors", text, { scope: "run", retryAfterMs: 1_000 });
    case "cancelled":
      throw PluginError.cancelled();
    case "fault":
      throw new TypeError(text);
    case "exit":
      process.exit(3);
  }
}

/** Throws in `check`. */
function check(check: Check): Checked {
  const settings = check.values<Settings>();
  if (settings.at !== "check") return Checked.good();
  if (settings.raise === "warning") {
    return Checked.good().warning("/at", "content.errors", "check was asked to warn");
  }
  fail("check", settings);
  return Checked.good();
}

/** Declares two notes: one sends its bytes along, one stages them. */
const sync: Importer = {
  check,
  async sync(request: SyncRequest, context: Context) {
    await writeFile(context.inWorkDir("staged-note"), NOTES["b.txt"]);
    const first = { path: "a.txt", inline: NOTES["a.txt"] };
    const second = { path: "b.txt", staged: "staged-note" };
    await context.unit({ type: "note", key: { path: "a.txt" }, files: [first] });
    await context.unit({ type: "note", key: { path: "b.txt" }, files: [second] });
    await end("sync", request.attachment.settings<Settings>(), context);
    return Done.changed({ announced: 2 });
  },
};

/** Lists two notes, and hands out their bytes in chunks. */
const files: Importer = {
  check,
  async list(request: ListRequest, context: Context) {
    for (const [path, text] of Object.entries(NOTES)) {
      await context.listed({
        unit: { type: "note", key: { path }, files: [{ path, size: text.length }] },
        revision: "1",
      });
    }
    await end("list", request.attachment.settings<Settings>(), context);
    return Done.changed();
  },
  async fetch(request: FetchRequest, context: Context) {
    const { path } = request.unit.readKey<{ path: keyof typeof NOTES }>();
    await context.chunk(Buffer.from(NOTES[path]).subarray(request.offset));
    await end("fetch", request.attachment.settings<Settings>(), context);
    return Done.changed();
  },
};

/** Publishes the notes of a version, under their own paths. */
const tree: Distributor = {
  check,
  async publish(request: PublishRequest, context: Context) {
    for await (const unit of context.units()) {
      for (const { path } of unit.files) await context.file({ path, unit: { id: unit.id, path } });
    }
    await end("publish", request.attachment.settings<Settings>(), context);
    return Done.changed();
  },
};

export const plugin = Plugin.load(new URL("..", import.meta.url))
  .importer("sync", sync)
  .importer("files", files)
  .distributor("tree", tree);
