/** What a call tells arrives, in messages as the contract wants them. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { type Context, Done, Plugin, PluginError } from "wharf-sdk";
import { ErrorScope, Harness, LogLevel, Outcome, type Run, type Running } from "wharf-sdk/testing";

import { MANIFEST, sample, thing, TYPES } from "./sample.js";

async function run(work: (context: Context) => Promise<Done>): Promise<Run> {
  await using harness = await Harness.start(sample({ work }));
  return await harness.call("importer", { settings: { task: "work" } }).sync();
}

/** How many units came in each message. */
async function batches(running: Running): Promise<number[]> {
  const sizes: number[] = [];
  for (let event = await running.next(); event !== undefined; event = await running.next()) {
    if (event.$case === "units") sizes.push(event.value.units.length);
  }
  return sizes;
}

async function tellEverything(context: Context): Promise<Done> {
  await context.log("info", "hello", { place: "here" });
  await context.progress({ done: 1, total: 2, unit: "files", phase: "reading", sub: { done: 3 } });
  await context.progress({ done: 2, total: 2 });
  await context.warn("content.odd", "looks odd", "a");
  await context.item("left", "skipped");
  await context.failed("bad", PluginError.operation("source.gone", "it is gone"));
  const file = { path: "a/b", size: 3, sha256: "0".repeat(64), sources: ["https://x.example/a/b"] };
  await context.unit(thing("a", { attributes: { n: 1 }, files: [file], links: [{ kind: "base", to: { id: 7 } }] }));
  await context.keep({ type: "thing", field: { name: "n", value: 7 } });
  await context.remove({ type: "thing", key: { name: "old" } });
  await context.metadata({ suite: "x" });
  await context.link("more", "https://x.example/");
  await context.output("report", "text/plain", "report.txt");
  await context.job({ operation: "publish" });
  await context.checkpoint("here");
  return Done.changed({ announced: 3, summary: { lines: 3 }, state: { etag: "x" }, outputs: { x: 1 } });
}

test("everything told arrives", async () => {
  const told = await run(tellEverything);
  const done = told.done();
  assert.deepEqual([done.changed, done.announced, done.summary], [true, 3, '{"lines":3}']);
  assert.deepEqual([done.outputs, done.state.toString()], ['{"x":1}', '{"etag":"x"}']);
  assert.deepEqual([told.logs[0]?.level, told.logs[0]?.text], [LogLevel.INFO, "hello"]);
  assert.equal(told.logs[0]?.fields.place, "here");
  assert.deepEqual(
    told.progress.map((it) => [it.done, it.phase, it.subDone]),
    [
      [1, "reading", 3],
      [2, "", 0],
    ],
    "progress is thinned, but the last one arrives",
  );
  assert.equal(told.warnings[0]?.code, "content.odd");
  assert.deepEqual(
    told.items.map((item) => item.outcome),
    [Outcome.SKIPPED, Outcome.FAILED],
  );
  assert.deepEqual([told.items[1]?.error?.scope, told.items[1]?.error?.item], [ErrorScope.ITEM, "bad"]);
  assert.equal(told.units[0]?.attributes, '{"n":1}');
  assert.deepEqual(told.units[0].files[0]?.digests, [`sha256:${"0".repeat(64)}`]);
  assert.equal(told.units[0].links[0]?.to?.id, 7);
  assert.equal(told.kept[0]?.field?.value, "7");
  assert.equal(told.removed[0]?.key, '{"name":"old"}');
  const others = told.others.map((event) => event.$case).sort();
  assert.deepEqual(others, ["checkpoint", "job", "link", "metadata", "output"]);
});

test("a checkpoint comes behind what it covers", async () => {
  await using harness = await Harness.start(sample({ tell: tellEverything }));
  const running = harness.call("importer", { settings: { task: "tell" } }).startSync();
  let units = 0;
  for (let event = await running.next(); event !== undefined; event = await running.next()) {
    if (event.$case === "units") units += event.value.units.length;
    if (event.$case === "checkpoint") assert.equal(units, 1);
  }
  assert.equal(units, 1);
});

test("units come in batches of a thousand", async () => {
  await using harness = await Harness.start(
    sample({
      many: async (context) => {
        for (let n = 0; n < 2_500; n++) await context.unit(thing(String(n)));
        return Done.changed();
      },
    }),
  );
  const running = harness.call("importer", { settings: { task: "many" } }).startSync();
  assert.deepEqual(await batches(running), [1_000, 1_000, 500]);
});

test("large units come in messages below a mebibyte", async () => {
  const told = await run(async (context) => {
    for (let n = 0; n < 30; n++) await context.unit(thing(String(n), { attributes: { body: "x".repeat(100_000) } }));
    return Done.changed();
  });
  assert.equal(told.units.length, 30);
});

test("a unit larger than a message is a fault that says so", async () => {
  const told = await run(async (context) => {
    await context.unit(thing("a", { attributes: { body: "x".repeat(2 << 20) } }));
    return Done.changed();
  });
  assert.equal(told.failure().code, "limit.message");
});

test("what is no JSON object is a fault that says so", async () => {
  for (const attributes of [[1], 7n as unknown as object, (() => 1) as unknown as object]) {
    const told = await run(async (context) => {
      await context.unit(thing("a", { attributes }));
      return Done.changed();
    });
    assert.equal(told.failure().code, "internal.json");
  }
});

test("an entry that has waited for a second is sent with the next one", async (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  const plugin = sample({
    slow: async (context) => {
      await context.unit(thing("a"));
      t.mock.timers.tick(1_000);
      await context.unit(thing("b"));
      await context.unit(thing("c"));
      return Done.changed();
    },
  });
  await using harness = await Harness.start(plugin);
  assert.deepEqual(await batches(harness.call("importer", { settings: { task: "slow" } }).startSync()), [2, 1]);
});

test("bytes of a fetched item are cut into chunks", async () => {
  const bytes = Buffer.alloc(1_300_000, "x");
  const manifest = MANIFEST.replace('"sync"', '"list","fetch"');
  const plugin = new Plugin(manifest).types(TYPES).importer("importer", {
    async list(request, context) {
      assert.equal(request.cursor, "");
      const unit = thing("a", { files: [{ path: "a" }] });
      await context.listed({ unit, revision: "7", modifiedMs: 5 });
      await context.cursor("behind-a");
      return Done.changed();
    },
    async fetch(request, context) {
      assert.deepEqual([request.revision, request.unit.readKey()], ["7", { name: "a" }]);
      await context.chunk(bytes.subarray(request.offset));
      return Done.unchanged();
    },
  });
  await using harness = await Harness.start(plugin);
  const listed = await harness.call("importer").list();
  const item = listed.listed[0];
  assert(item !== undefined);
  assert.deepEqual([item.revision, item.modifiedMs], ["7", 5]);
  const fetched = await harness.call("importer").fetch(item, 100);
  fetched.done();
  assert.equal(fetched.contents.length, 3);
  assert(fetched.bytes().equals(bytes.subarray(100)));
});
