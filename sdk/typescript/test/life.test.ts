/** Calls end as the contract wants: by themselves, by a cancel, by a stop, and by what they throw. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { status as Status } from "@grpc/grpc-js";
import { type Context, Done, Plugin, PluginError } from "wharf-sdk";
import { ErrorClass, ErrorScope, Harness } from "wharf-sdk/testing";

import { MANIFEST, sample, Signal, thing } from "./sample.js";

const settings = (task: string) => ({ settings: { task } });

async function endless(context: Context): Promise<Done> {
  for (;;) await context.unit(thing("again", { attributes: { body: "x".repeat(10_000) } }));
}

test("an expected error is an event that keeps all it says", async () => {
  const plugin = sample({
    usage: () => Promise.reject(PluginError.usage("config.task", "no such task", { field: "/task" })),
    attachment: () => Promise.reject(PluginError.operation("source", "gone", { scope: "attachment" })),
    retry: () => Promise.reject(PluginError.operation("source", "gone", { retryAfterMs: 1_000, details: "{}" })),
    item: () => Promise.reject(PluginError.operation("content", "bad", { item: "a/b", cause: new Error("why") })),
  });
  await using harness = await Harness.start(plugin);
  const failure = async (task: string) => (await harness.call("importer", settings(task)).sync()).failure();
  const usage = await failure("usage");
  assert.deepEqual([usage.class, usage.code, usage.field], [ErrorClass.USAGE, "config.task", "/task"]);
  assert.equal((await failure("attachment")).scope, ErrorScope.ATTACHMENT);
  const retry = await failure("retry");
  assert.deepEqual([retry.retryable, retry.retryAfterMs, retry.details], [true, 1_000, "{}"]);
  assert.deepEqual([retry.class, retry.scope], [ErrorClass.OPERATION, ErrorScope.RUN]);
  const item = await failure("item");
  assert.deepEqual([item.scope, item.item, item.message], [ErrorScope.ITEM, "a/b", "bad: Error: why"]);
});

test("an exception is a fault of its call, and the next call works", async () => {
  const plugin = sample({
    bug: () => Promise.reject(new TypeError("on purpose")),
    odd: () => Promise.resolve(undefined as unknown as Done),
    fine: () => Promise.resolve(Done.unchanged()),
  });
  await using harness = await Harness.start(plugin);
  const bug = await harness.call("importer", settings("bug")).sync();
  assert.deepEqual([bug.failure().class, bug.failure().code], [ErrorClass.FAULT, "internal.exception"]);
  assert.match(bug.failure().message, /TypeError: on purpose/);
  const odd = await harness.call("importer", settings("odd")).sync();
  assert.equal(odd.failure().code, "internal.result");
  (await harness.call("importer", settings("fine")).sync()).done();
});

test("a plugin that is faster than its host waits", async () => {
  let told = 0;
  const plugin = sample({
    fast: async (context) => {
      for (; told < 2_000; told++)
        await context.unit(thing(String(told), { attributes: { body: "x".repeat(60_000) } }));
      return Done.changed();
    },
  });
  await using harness = await Harness.start(plugin);
  const running = harness.call("importer", settings("fast")).startSync();
  await running.next();
  // Nothing is read meanwhile: 120 MB would be told otherwise.
  for (let before = -1; before !== told;) {
    before = told;
    for (let turn = 0; turn < 100; turn++) await new Promise((resume) => setImmediate(resume));
  }
  assert(told < 1_000, `${told} units were told to a host that does not read`);
  const run = await running.finish();
  run.done();
  assert.equal(told, 2_000);
});

test("a dropped call ends a method that talks to the host", async () => {
  const ended = new Signal();
  const plugin = sample({ endless: (context) => endless(context).finally(ended.give) });
  await using harness = await Harness.start(plugin);
  const running = harness.call("importer", settings("endless")).startSync();
  await running.next();
  running.cancel();
  await ended.given;
});

test("a dropped call aborts the signal of a method that waits for something else", async () => {
  const [started, ended] = [new Signal(), new Signal()];
  const plugin = sample({
    wait: async (context) => {
      started.give();
      await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
      await assert.rejects(context.unit(thing("a")), { class: "cancelled" });
      await assert.rejects(context.units().pages().next(), { class: "cancelled" });
      ended.give();
      return Done.unchanged();
    },
  });
  await using harness = await Harness.start(plugin);
  const running = harness.call("importer", settings("wait")).startSync();
  const first = running.next().catch(() => undefined);
  await started.given;
  running.cancel();
  await Promise.all([ended.given, first]);
});

test("stopping cancels running calls, leaves stuck ones behind, and refuses new ones", async () => {
  const started = new Signal();
  const plugin = sample({
    stuck: () => {
      started.give();
      return new Promise(() => undefined);
    },
  });
  await using harness = await Harness.start(plugin);
  const running = harness.call("importer", settings("stuck")).startSync();
  await started.given;
  const [run] = await Promise.all([running.finish(), harness.stop()]);
  assert.equal(run.failure().class, ErrorClass.CANCELLED);
  const refused = await harness.call("importer", settings("stuck")).sync();
  assert.equal(refused.status?.code, Status.UNAVAILABLE);
});

test("a context that outlives its call neither holds it open nor is heard", async () => {
  let leaked: Context | undefined;
  const plugin = sample({
    leak: (context) => {
      leaked = context;
      return Promise.resolve(Done.unchanged());
    },
  });
  await using harness = await Harness.start(plugin);
  const run = await harness.call("importer", settings("leak")).sync();
  run.done();
  await assert.rejects(async () => leaked?.unit(thing("late")), { class: "cancelled" });
  assert.equal(leaked?.signal.aborted, true);
});

test("a check that is stuck does not hold up the end", async () => {
  const started = new Signal();
  const plugin = new Plugin(MANIFEST).grace(100).importer("importer", {
    sync: () => Promise.resolve(Done.unchanged()),
    check: () => {
      started.give();
      return new Promise(() => undefined);
    },
  });
  await using harness = await Harness.start(plugin);
  const check = harness.call("importer").check();
  await started.given;
  await harness.stop();
  const refused = assert.rejects(check);
  await harness.close();
  await refused;
});

test("a result that no message holds is a fault that says so", async () => {
  const summary = { text: "x".repeat(2 << 20) };
  await using harness = await Harness.start(sample({ long: () => Promise.resolve(Done.changed({ summary })) }));
  const failure = (await harness.call("importer", settings("long")).sync()).failure();
  assert.deepEqual([failure.class, failure.code], [ErrorClass.FAULT, "limit.message"]);
});

test("dozens of calls at once are nothing to warn of", async (t) => {
  const warned = t.mock.method(process, "emitWarning", () => undefined);
  const gate = new Signal();
  let waiting = 0;
  const plugin = sample({
    wait: async () => {
      waiting += 1;
      if (waiting === 40) gate.give();
      await gate.given;
      return Done.unchanged();
    },
  });
  await using harness = await Harness.start(plugin);
  const runs = Array.from({ length: 40 }, () => harness.call("importer", settings("wait")).sync());
  for (const run of await Promise.all(runs)) run.done();
  assert.equal(warned.mock.callCount(), 0);
});

test("many calls at once do not disturb each other", async () => {
  const plugin = sample({
    bug: () => Promise.reject(new Error("on purpose")),
    fine: async (context) => {
      for (let n = 0; n < 100; n++) await context.unit(thing(String(n)));
      return Done.changed();
    },
  });
  await using harness = await Harness.start(plugin);
  const tasks = ["bug", "fine", "bug", "fine", "fine"];
  const runs = await Promise.all(tasks.map((task) => harness.call("importer", settings(task)).sync()));
  assert.deepEqual(
    runs.map((run) => run.units.length),
    [0, 100, 0, 100, 100],
  );
});
