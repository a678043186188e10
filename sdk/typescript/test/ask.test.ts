/** Every question to the host is answered, and every refusal is an error of its class. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { type Context, Done, PluginError, StateScope } from "wharf-sdk";
import { FakeHost, Harness, type Run } from "wharf-sdk/testing";

import { sample, thing } from "./sample.js";

async function ask(host: FakeHost, work: (context: Context) => Promise<void>): Promise<Run> {
  const plugin = sample({ ask: (context) => work(context).then(() => Done.unchanged()) });
  await using harness = await Harness.start(plugin, host);
  const run = await harness.call("importer", { settings: { task: "ask" } }).sync();
  run.done();
  return run;
}

async function code(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => new Error("it was answered"),
    (thrown: unknown) => thrown,
  );
  assert(error instanceof PluginError, String(error));
  return `${error.class} ${error.code}`;
}

test("files are downloaded into the work folder, each with its own answer", async () => {
  const urls = ["https://x.example/a", "https://x.example/none"];
  const host = new FakeHost({ files: { "https://x.example/a": "bytes" } });
  await ask(host, async (context) => {
    const answers = [];
    for await (const answer of context.downloadAll(urls)) answers.push(answer);
    const [got, missing] = answers;
    assert.deepEqual([got?.index, got?.downloaded?.size], [0, 5]);
    assert.equal(await readFile(context.inWorkDir(got?.downloaded?.staged ?? ""), "utf8"), "bytes");
    assert.deepEqual([missing?.index, missing?.error?.code], [1, "source.not_found"]);
    const unlessUnchanged = { etag: got?.downloaded?.etag ?? "", lastModified: "" };
    const again = await context.download({ sources: ["https://x.example/a"], unlessUnchanged });
    assert.deepEqual([again.notModified, again.staged], [true, undefined]);
    const small = context.download({ sources: ["https://x.example/a"], maxBytes: 3 });
    assert.equal(await code(small), "operation limit.size");
  });
  assert.equal(host.requests[2], "https://x.example/a (unchanged)");
});

test("more downloads than a message holds are asked for in batches, and counted through", async () => {
  const count = 1_200;
  const urls = Array.from({ length: count }, (_, n) => `https://x.example/${n}`);
  await ask(new FakeHost({ files: Object.fromEntries(urls.map((url) => [url, url])) }), async (context) => {
    const seen: number[] = [];
    for await (const { index } of context.downloadAll(urls)) seen.push(index);
    assert.deepEqual(
      seen,
      urls.map((_, n) => n),
    );
  });
});

test("units come filtered, ordered and in pages", async () => {
  const units = Array.from({ length: 1_500 }, (_, n) => thing(String(n), { attributes: { even: n % 2 === 0 } }));
  const host = new FakeHost({ units: [...units, { type: "other", key: { name: "x" } }] });
  await ask(host, async (context) => {
    const names: string[] = [];
    const query = { types: ["thing"], where: [{ name: "even", value: true }], orderBy: ["name"] };
    for await (const unit of context.units(query)) names.push(unit.readKey<{ name: string }>().name);
    assert.equal(names.length, 750);
    assert.deepEqual(names, [...names].sort());
    const pages: number[] = [];
    for await (const page of context.units().pages()) pages.push(page.length);
    assert.deepEqual(pages, [1_000, 501]);
    for await (const first of context.units()) {
      assert.equal(first.id, 1);
      break;
    }
    const [second] = await context.getUnits([{ id: 2 }]);
    assert.deepEqual(second?.readAttributes(), { even: false });
    const saved = await context.saveUnits([thing("1"), thing("new")]);
    assert.deepEqual(saved, [
      { id: 2, created: false },
      { id: 1_502, created: true },
    ]);
  });
});

test("a stored unit may be sent back as it is", async () => {
  const file = { path: "a", size: 1, digests: ["sha256:ab"], mediaType: "text/plain" };
  const host = new FakeHost({ units: [thing("a", { attributes: { n: 1 }, files: [file] })] });
  const run = await ask(host, async (context) => {
    for await (const unit of context.units()) {
      assert.equal(unit.files[0]?.hex("sha256"), "ab");
      await context.unit(unit);
    }
  });
  assert.deepEqual([run.keys(), run.units[0]?.files[0]?.mediaType], [['{"name":"a"}'], "text/plain"]);
});

test("bytes go into the store and out of it", async () => {
  await ask(new FakeHost(), async (context) => {
    const large = Buffer.alloc(1_200_000, "y");
    const { digest, size } = await context.putArtifact([large.subarray(0, 10), large.subarray(10)]);
    assert.equal(size, large.length);
    assert.deepEqual(await context.hasArtifacts([digest, "sha256:00"]), [true, false]);
    const parts: Uint8Array[] = [];
    for await (const part of context.openArtifact(digest, 200)) parts.push(part);
    assert(Buffer.concat(parts).equals(large.subarray(200)));
    assert.equal(await code(context.openArtifact("sha256:00").next()), "usage not_found");
    const broken = context.putArtifact(
      (function* () {
        yield large;
        throw new RangeError("no more bytes");
      })(),
    );
    await assert.rejects(broken, RangeError);
  });
});

test("state has revisions, and the slower writer is told", async () => {
  await ask(new FakeHost({ secrets: { password: "secret" } }), async (context) => {
    const value = await context.secret("password");
    const scope = StateScope.ATTACHMENT;
    const revision = await context.putState(scope, "k", { revision: 0, value }, true);
    const lost = context.putState(scope, "k", { revision: 0, value: "" });
    assert.equal(await code(lost), "operation conflict");
    const kept = await context.getState(scope, "k");
    assert.deepEqual([kept?.revision, Buffer.from(kept?.value ?? []).toString()], [revision, "secret"]);
    assert.equal(await context.getState(StateScope.INSTANCE, "k"), undefined);
    assert.equal(await code(context.secret("other")), "usage not_found");
  });
});

test("what is large is staged to be signed, what is small is sent along", async () => {
  const seen: number[] = [];
  const sign = (form: string, bytes: Uint8Array) => {
    seen.push(bytes.length);
    return { bytes: Buffer.from(form), fingerprint: "AB", publicKey: "key" };
  };
  await ask(new FakeHost({ sign }), async (context) => {
    const signed = await context.sign("clearsign", "text");
    assert.deepEqual([Buffer.from(signed.bytes).toString(), signed.publicKey], ["clearsign", "key"]);
    await context.sign("detached-binary", Buffer.alloc(100_000));
  });
  assert.deepEqual(seen, [4, 100_000]);
  await ask(new FakeHost(), async (context) => {
    assert.equal(await code(context.sign("clearsign", "text")), "usage policy");
  });
});

test("jobs, claims, contributions, events and outcomes", async () => {
  const host = new FakeHost({ settings: { url: "x" }, units: [thing("a")] });
  await ask(host, async (context) => {
    assert.deepEqual(await context.settings(), { url: "x" });
    const job = await context.spawnJob({ operation: "publish", arguments: { full: true } });
    assert.equal((await context.waitJob(job)).state, "succeeded");
    assert.equal(await code(context.waitJob(99)), "usage not_found");
    await context.release(await context.acquire({ kind: "lock", name: "index", waitMs: 5 }));
    await context.contribute("other.builder", { kind: "file", name: "motd", content: "hi" });
    await context.emit("synced", { n: 1 });
    const items = [];
    for await (const item of context.watchItems()) items.push(item.key);
    assert.deepEqual(items, ['{"name":"a"}']);
  });
  const calls = host.asked.map((it) => it.split(" ")[0]);
  assert.deepEqual(calls, ["SpawnJob", "Acquire", "Release", "Contribute", "Emit"]);
});
