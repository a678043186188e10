/** Every role and every call of a component, with what they are told and what they answer. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";

import { status as Status } from "@grpc/grpc-js";
import {
  type Action,
  type Builder,
  Checked,
  type Component,
  type Distributor,
  Done,
  type Importer,
  Mode,
  Plugin,
  PluginError,
  Policy,
  Stage,
  TestMode,
} from "wharf-sdk";
import { FakeHost, Harness } from "wharf-sdk/testing";

import { MANIFEST, sample, thing, TYPES } from "./sample.js";

function manifest(role: string, ...operations: string[]): string {
  return JSON.stringify({ name: "roles", version: "0.1.0", components: [{ id: "it", role, operations }] });
}

test("describe is the manifest", async () => {
  await using harness = await Harness.start(sample({}));
  const describe = await harness.describe();
  assert.deepEqual([describe.name, describe.version, describe.types], ["sample", "1.2.3", ["thing"]]);
  const [component] = describe.components;
  assert.deepEqual([component?.id, component?.role, component?.profile], ["importer", "importer", "content"]);
  assert.deepEqual([component?.operations, component?.types], [["sync"], ["thing"]]);
});

test("a manifest and a program that disagree are told at start", async () => {
  const importer: Importer = { sync: () => Promise.resolve(Done.unchanged()) };
  const wrong: [RegExp, () => Plugin][] = [
    [/registers nothing under that id/, () => new Plugin(MANIFEST)],
    [/a component of role builder/, () => new Plugin(MANIFEST).builder("importer", {})],
    [/"importer" offers sync, but it has no method/, () => new Plugin(MANIFEST).importer("importer", {})],
    [/does not name/, () => new Plugin(MANIFEST).importer("importer", importer).action("other", {})],
    [
      /names no migrations, but the program registers some/,
      () => sample({}).migrations({ migrate: () => Promise.resolve(Done.unchanged()) }),
    ],
    [/plugin.json cannot be read/, () => new Plugin("{")],
    [/no list `types`/, () => sample({}).types("{}")],
  ];
  for (const [message, plugin] of wrong) await assert.rejects(Harness.start(plugin()), { message });
});

test("what is not offered is unimplemented, and who is not there is not found", async () => {
  await using harness = await Harness.start(sample({}));
  assert.equal((await harness.call("importer").list()).status?.code, Status.UNIMPLEMENTED);
  assert.equal((await harness.call("importer").publish()).status?.code, Status.UNIMPLEMENTED);
  assert.equal((await harness.call("nobody").sync()).status?.code, Status.NOT_FOUND);
  await assert.rejects(harness.call("importer").choices("url"), { code: Status.UNIMPLEMENTED });
  await assert.rejects(harness.call("nobody").check(), { code: Status.NOT_FOUND });
  assert.equal((await harness.migrate(1)).status?.code, Status.NOT_FOUND);
  assert.deepEqual((await harness.call("importer").ready()).reasons, []);
  assert.deepEqual((await harness.call("importer").plan("sync")).jobs, []);
});

test("a component checks, chooses, plans and is told of bindings", async () => {
  const told: string[] = [];
  const component: Component & Importer = {
    sync: () => Promise.resolve(Done.unchanged()),
    check(check) {
      const { url } = check.values<{ url: string }>();
      if (url === "throw") throw PluginError.usage("config.url", "thrown", { field: "/url" });
      if (url === "bug") throw new Error("bug");
      if (url.endsWith("/")) return Checked.good().error("/url", "config.url", "name a file");
      return Checked.good().warning("/url", "config.odd", "odd").normalised({ url: url.trim() });
    },
    ready: (instance) => Checked.good().error("", "config", instance.name),
    choices: (field) => [{ value: 1, label: field }],
    plan: (plan) => [{ operation: plan.operation, weight: 2, name: plan.arguments<{ url: string }>().url }],
    attached: ({ repository }) => void told.push(`attached ${repository}`),
    detached: ({ repository }) => void told.push(`detached ${repository}`),
  };
  await using harness = await Harness.start(new Plugin(MANIFEST).importer("importer", component));
  const call = (url: string) => harness.call("importer", { settings: { url } });
  assert.deepEqual((await call("a/").check()).errors, [{ field: "/url", code: "config.url", message: "name a file" }]);
  assert.equal((await call("throw").check()).errors[0]?.message, "thrown");
  const good = await call(" a ").check();
  assert.deepEqual([good.errors, good.warnings.length, good.normalised], [[], 1, '{"url":"a"}']);
  await assert.rejects(call("bug").check(), { code: Status.INTERNAL });
  for (const settings of ["null", "[]", "7", "{"]) {
    const answer = await harness.call("importer", { settings }).check();
    assert.equal(answer.errors[0]?.code, "config", settings);
  }
  assert.equal((await call("").ready()).reasons[0]?.message, "default");
  assert.deepEqual(await call("").choices("url"), [{ value: "1", label: "url" }]);
  const [job] = (await call("x").plan("sync")).jobs;
  assert.deepEqual([job?.weight, job?.name], [2, "x"]);
  await call("").attached();
  await call("").detached();
  assert.deepEqual(told, ["attached test", "detached test"]);
});

test("an importer is told everything about its sync, and state comes back", async () => {
  const plugin = sample({
    look: (_context, request) => {
      const { mode, policy, full, last, attachment } = request;
      const before = attachment.state<{ n: number }>();
      const summary = { mode, policy, full, last, before, checkpoint: Buffer.from(request.checkpoint).toString() };
      return Promise.resolve(Done.changed({ summary, state: { n: (before?.n ?? 0) + 1 } }));
    },
  });
  await using harness = await Harness.start(plugin);
  const settings = { task: "look" };
  const first = await harness.call("importer", { settings }).sync();
  const more = {
    mode: Mode.ADDITIVE,
    policy: Policy.ON_DEMAND,
    full: true,
    last: "partial",
    checkpoint: "here",
  } as const;
  const second = await harness.call("importer", { settings, state: first.state(), ...more }).sync();
  const { last, ...seen } = JSON.parse(second.done().summary) as { last: { outcome: string } };
  assert.deepEqual(
    [seen, last.outcome],
    [{ ...more, last: undefined, before: { n: 1 } }, "partial"].map((it) => strip(it)),
  );
  assert.equal(second.state().toString(), '{"n":2}');
});

function strip(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

test("an upload has files and what the user said; a resolve names units", async () => {
  const plugin = new Plugin(manifest("importer", "upload", "resolve")).importer("it", {
    async upload(request, context) {
      const [file] = request.files;
      const text = await readFile(context.inWorkDir(file?.staged ?? ""), "utf8");
      const attributes = { text, ...request.attributes<object>() };
      await context.unit({ type: request.type, key: request.key<object>(), attributes, files: request.files });
      return Done.changed();
    },
    async resolve(request, context) {
      for (const unit of request.units) await context.resolved({ id: (unit.id ?? 0) + request.version });
      return Done.unchanged();
    },
  });
  await using harness = await Harness.start(plugin);
  await writeFile(`${harness.workDir}/staged-1`, "hello");
  const said = { type: "thing", key: { name: "a" }, attributes: { form: { x: "y" } } };
  const run = await harness.call("it").upload([{ path: "a.txt", staged: "staged-1" }], said);
  assert.equal(run.units[0]?.attributes, '{"text":"hello","form":{"x":"y"}}');
  assert.equal(run.units[0].files[0]?.staged, "staged-1");
  const resolved = await harness.call("it").resolve([{ id: 7 }]);
  assert.equal(resolved.resolved[0]?.id, 8);
});

test("a distributor makes a tree, takes it back, reissues it and tells clients", async () => {
  const distributor: Distributor = {
    async publish(request, context) {
      for await (const unit of context.units()) {
        for (const file of unit.files) await context.file({ path: file.path, unit: { id: unit.id, path: file.path } });
      }
      await context.file({ path: "index", inline: "x", mediaType: "text/plain", modifiedMs: 5, entryPoint: true });
      await context.file({ path: "by-digest", digest: "sha256:ab", headers: { "cache-control": "no-store" } });
      await context.passThrough("all", ["thing"]);
      await context.reuse(request.previous?.id ?? 0, "old");
      await context.alias("second", "index");
      await context.redirect("moved", "index");
      await context.variant("simple/", "index", "text/html", ["text/*"]);
      await context.encodedVariant("simple/", "index.gz", "text/html", "gzip");
      return Done.changed({ identifier: request.signing.join() });
    },
    unpublish: (request) => Promise.resolve(Done.changed({ summary: { id: request.publication.id } })),
    async reissue(request, context) {
      await context.file({ path: "index", staged: "new", modifiedMs: request.timestampMs, entryPoint: true });
      return Done.changed();
    },
    clientConfig: ({ baseUrl }) => ({ files: [{ name: "x.conf", content: baseUrl }], data: { url: baseUrl } }),
  };
  const plugin = new Plugin(manifest("distributor", "publish", "unpublish")).distributor("it", distributor);
  const host = new FakeHost({ units: [thing("a", { files: [{ path: "a/b" }] })] });
  await using harness = await Harness.start(plugin, host);
  const previous = { id: 3, version: 1, identifier: "" };
  const run = await harness.call("it", { previous, signing: "main" }).publish();
  assert.equal(run.done().identifier, "main");
  const paths = run.files.map((file) => file.path);
  assert.deepEqual(paths, ["a/b", "index", "by-digest"]);
  assert.deepEqual(run.files[0]?.from, { $case: "unit", value: { unit: 1, path: "a/b" } });
  assert.deepEqual([run.files[1]?.entryPoint, run.files[1]?.modifiedMs], [true, 5]);
  assert.equal(run.files[2]?.headers["cache-control"], "no-store");
  assert.deepEqual(
    run.variants.map((it) => [it.also.join(), it.encoding]),
    [
      ["text/*", ""],
      ["", "gzip"],
    ],
  );
  const others = new Map(run.others.map((event) => [event.$case, event.value]));
  assert.deepEqual(others.get("reuse"), { publication: 3, prefix: "old" });
  assert.deepEqual(others.get("passThrough"), { prefix: "all", types: ["thing"] });
  assert.equal((await harness.call("it").unpublish(previous)).done().summary, '{"id":3}');
  const again = await harness.call("it", { timestampMs: 9 }).reissue(3);
  assert.deepEqual([again.files.length, again.files[0]?.modifiedMs], [1, 9]);
  const config = await harness.call("it").clientConfig("http://x.example/");
  assert.deepEqual(
    [config.files[0]?.content.toString(), config.data],
    ["http://x.example/", '{"url":"http://x.example/"}'],
  );
});

test("a builder makes a unit with an artifact", async () => {
  const builder: Builder = {
    async build(request, context) {
      const { name } = request.parameters<{ name: string }>();
      await writeFile(context.inWorkDir("image"), request.template);
      assert.deepEqual(request.target, { name: "fedora", version: "", architecture: "" });
      assert.deepEqual(request.parent?.readKey(), { name: "before" });
      const [given] = request.contributions;
      assert.deepEqual([given?.name, Buffer.from(given?.content ?? "").toString(), given?.order], ["motd", "hi", 2]);
      assert.deepEqual(request.provider?.settings(), { zone: "a" });
      const attributes = { stage: request.stage, type: request.templateType };
      await context.unit({ type: "image", key: { name }, attributes, files: [{ path: "image", staged: "image" }] });
      return Done.changed();
    },
  };
  const plugin = new Plugin(manifest("builder", "build")).builder("it", builder);
  await using harness = await Harness.start(plugin);
  const template = { mediaType: "text/plain", content: Buffer.from("recipe") };
  const whole = {
    settings: { name: "base" },
    template,
    target: { name: "fedora" },
    parent: { type: "image", key: { name: "before" } },
    contributions: [{ kind: "file", name: "motd", content: "hi", order: 2 }],
    provider: { zone: "a" },
  };
  const run = await harness.call("it", whole).build(Stage.BASE);
  assert.deepEqual([run.keys(), run.units[0]?.attributes], [['{"name":"base"}'], '{"stage":1,"type":"text/plain"}']);
  assert.equal(await readFile(`${harness.workDir}/image`, "utf8"), "recipe");
});

test("an action is given arguments and units", async () => {
  const action: Action = {
    run: (request) => {
      const summary = { units: request.units.length, dry: request.test === TestMode.DRY, said: request.arguments() };
      return Promise.resolve(Done.unchanged({ summary }));
    },
  };
  const plugin = new Plugin(manifest("action", "run")).action("it", action);
  await using harness = await Harness.start(plugin);
  const run = await harness.call("it", { settings: { x: 1 }, test: TestMode.DRY }).run([thing("a"), thing("b")]);
  assert.equal(run.done().summary, '{"units":2,"dry":true,"said":{"x":1}}');
});

test("a migration changes units by their number", async () => {
  const migrating = JSON.stringify({
    ...(JSON.parse(MANIFEST) as object),
    migrations: [{ number: 1, name: "names get a dot" }],
  });
  const plugin = new Plugin(migrating)
    .types(TYPES)
    .importer("importer", { sync: () => Promise.resolve(Done.unchanged()) })
    .migrations({
      async migrate(migration, context) {
        assert.equal(migration.name, "names get a dot");
        for await (const { id, type } of context.units()) {
          await context.unit({ id, type, attributes: { migrated: true } });
        }
        return Done.changed();
      },
    });
  await using harness = await Harness.start(plugin, new FakeHost({ units: [thing("a")] }));
  const run = await harness.migrate(1);
  assert.deepEqual([run.units[0]?.id, run.units[0]?.key, run.units[0]?.attributes], [1, "", '{"migrated":true}']);
});
