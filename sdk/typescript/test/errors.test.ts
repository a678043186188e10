/** The errors plugin of the examples raises what its settings say, at each call, and works without. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { status as Status } from "@grpc/grpc-js";
import { ErrorClass, ErrorScope, FakeHost, Harness, type Run } from "wharf-sdk/testing";

import { plugin } from "../examples/errors/dist/plugin.js";

const FILES = [{ path: "a.txt" }, { path: "b.txt" }];
const units = FILES.map((file) => ({ type: "note", key: { path: file.path }, files: [file] }));

type Settings = Record<string, string | number>;

/** Makes each call that works on notes. */
const CALLS: Record<string, (harness: Harness, settings: Settings) => Promise<Run>> = {
  sync: (harness, settings) => harness.call("sync", { settings }).sync(),
  list: (harness, settings) => harness.call("files", { settings }).list(),
  fetch: async (harness, settings) => {
    const [item] = (await harness.call("files").list()).listed;
    assert(item !== undefined);
    return harness.call("files", { settings }).fetch(item, 4);
  },
  publish: (harness, settings) => harness.call("tree", { settings }).publish(),
};

test("without raising, each call does its work", async () => {
  await using harness = await Harness.start(plugin, new FakeHost({ units }));
  const synced = await harness.call("sync").sync();
  assert.deepEqual([synced.keys(), synced.done().announced], [['{"path":"a.txt"}', '{"path":"b.txt"}'], 2]);
  assert.equal(await readFile(`${harness.workDir}/staged-note`, "utf8"), "the second note\n");
  const fetched = await CALLS.fetch?.(harness, {});
  assert.equal(fetched?.bytes().toString(), "first note\n");
  const tree = await harness.call("tree").publish();
  assert.deepEqual(
    tree.files.map((file) => file.path),
    ["a.txt", "b.txt"],
  );
});

for (const [call, make] of Object.entries(CALLS)) {
  test(`${call} raises each class of error`, async () => {
    await using harness = await Harness.start(plugin, new FakeHost({ units }));
    const raised = async (raise: string): Promise<unknown[]> => {
      const error = (await make(harness, { at: call, raise })).failure();
      return [error.class, error.scope, error.field || error.item, error.retryAfterMs];
    };
    const { USAGE, OPERATION, CANCELLED, FAULT } = ErrorClass;
    const { RUN, ITEM, ATTACHMENT } = ErrorScope;
    assert.deepEqual(await raised("usage"), [USAGE, RUN, "", 0]);
    assert.deepEqual(await raised("field"), [USAGE, RUN, "/at", 0]);
    assert.deepEqual(await raised("item"), [OPERATION, ITEM, "a.txt", 0]);
    assert.deepEqual(await raised("attachment"), [OPERATION, ATTACHMENT, "", 0]);
    assert.deepEqual(await raised("run"), [OPERATION, RUN, "", 0]);
    assert.deepEqual(await raised("retry"), [OPERATION, RUN, "", 1_000]);
    assert.deepEqual(await raised("cancelled"), [CANCELLED, RUN, "", 0]);
    assert.deepEqual(await raised("fault"), [FAULT, RUN, "", 0]);
    const warned = await make(harness, { at: call, raise: "warning" });
    assert.deepEqual([warned.done().changed, warned.warnings[0]?.code], [true, "content.errors"]);
  });
}

test("check answers by field, and fails as calls that are answered once do", async () => {
  await using harness = await Harness.start(plugin);
  const check = (raise: string) => harness.call("sync", { settings: { at: "check", raise } }).check();
  assert.equal((await check("field")).errors[0]?.field, "/at");
  assert.equal((await check("warning")).warnings[0]?.field, "/at");
  await assert.rejects(check("run"), { code: Status.UNAVAILABLE });
  await assert.rejects(check("fault"), { code: Status.INTERNAL });
});

test("a held call shows progress and ends early when it is cancelled", async () => {
  await using harness = await Harness.start(plugin);
  const held = await harness.call("sync", { settings: { hold_ms: 150 } }).sync();
  assert.equal(held.progress.at(-1)?.done, 2);
  const running = harness.call("sync", { settings: { hold_ms: 600_000 } }).startSync();
  assert.equal((await running.next())?.$case, "progress");
  const [run] = await Promise.all([running.finish(), harness.stop()]);
  assert.equal(run.failure().class, ErrorClass.CANCELLED);
});
