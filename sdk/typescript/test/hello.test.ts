/** The hello importer of the examples does what the README says of it. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeHost, Harness } from "wharf-sdk/testing";

import { plugin } from "../examples/hello/dist/plugin.js";

const settings = { url: "https://words.example/list" };

test("it makes a unit of every line", async () => {
  const host = new FakeHost({ files: { [settings.url]: "hello\ngood morning\n" } });
  await using harness = await Harness.start(plugin, host);
  const run = await harness.call("importer", { settings }).sync();
  assert.deepEqual(run.keys(), ['{"text":"hello"}', '{"text":"good morning"}']);
  assert.equal(run.done().changed, true);
});

test("an unreachable list is the host's error", async () => {
  await using harness = await Harness.start(plugin);
  const run = await harness.call("importer", { settings }).sync();
  assert.equal(run.failure().code, "source.not_found");
});
