/** The harness refuses what a host would refuse. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { type Context, Done, Plugin, type Unit } from "wharf-sdk";
import { Harness } from "wharf-sdk/testing";

import { MANIFEST, sample, thing, TYPES } from "./sample.js";

async function refuses(message: RegExp, work: (context: Context) => Promise<void>): Promise<void> {
  const plugin = sample({ work: (context) => work(context).then(() => Done.changed()) });
  await using harness = await Harness.start(plugin);
  const call = harness.call("importer", { settings: { task: "work" } });
  await assert.rejects(call.sync(), { name: "AssertionError", message });
}

const broken: [string, RegExp, Unit][] = [
  ["a unit without its whole key", /lacks "name"/, { type: "thing", key: { other: 1 } }],
  ["a unit without a key", /the key of a unit is a JSON object/, { type: "thing" }],
  ["a key that is no JSON", /the key of a unit is a JSON object/, { type: "thing", key: "name" }],
  ["attributes that are no object", /attributes are a JSON object/, thing("a", { attributes: "[1]" })],
  ["a type that nobody declares", /no type "other"/, { type: "other", key: { name: "a" } }],
  ["a path that climbs", /clean relative path/, thing("a", { files: [{ path: "../a" }] })],
  ["bytes that come two ways", /comes 2 ways/, thing("a", { files: [{ path: "a", inline: "x", staged: "y" }] })],
  ["too many bytes inline", /bytes inline/, thing("a", { files: [{ path: "a", inline: Buffer.alloc(70_000) }] })],
];

for (const [what, message, unit] of broken) {
  test(`it refuses ${what}`, () => refuses(message, (context) => context.unit(unit)));
}

test("it refuses a listed item without a file, and a keep of too many keys", async () => {
  const list = MANIFEST.replace('"sync"', '"list"');
  const plugin = new Plugin(list).types(TYPES).importer("importer", {
    async list(_request, context) {
      await context.listed({ unit: thing("a"), revision: "1" });
      return Done.changed();
    },
  });
  await using harness = await Harness.start(plugin);
  await assert.rejects(harness.call("importer").list(), { message: /a listed item has one file, this one 0/ });
  const keys = Array.from({ length: 1_001 }, (_, n) => ({ name: String(n) }));
  await refuses(/a message of 1001 entries/, (context) => context.keep({ type: "thing", keys }));
});
