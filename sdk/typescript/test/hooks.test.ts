/** Hooks before and after steps of other components, and secrets of a check. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { status as Status } from "@grpc/grpc-js";
import {
  After,
  Before,
  Checked,
  type Hooks,
  type Importer,
  Plugin,
  PluginError,
  type Step,
  type Unit,
} from "wharf-sdk";
import { FakeHost, Harness, HookDecision, Outcome } from "wharf-sdk/testing";

import { MANIFEST, sample, Signal } from "./sample.js";

const SUBSCRIBED = JSON.stringify({
  name: "hooked",
  version: "0.1.0",
  components: [{ id: "it", role: "importer", hooks: [{ on: "before:build.target" }, { on: "after:build.target" }] }],
});
const KEY = "https://keys.example/key";

function start(hooks: Hooks): Promise<Harness> {
  const plugin = new Plugin(SUBSCRIBED).importer("it", {}).hooks(hooks).grace(100);
  return Harness.start(plugin, new FakeHost({ files: { [KEY]: "key" } }));
}

test("a hook decides on a step, and gives something to it", async () => {
  const before = async (step: Step, context: { download(url: string): Promise<{ size: number }> }): Promise<Before> => {
    switch (step.subject<{ do?: string }>().do) {
      case "skip":
        return Before.skip();
      case "replace":
        return Before.replace({ type: "image", key: { name: "x" }, files: [{ path: "x", staged: "x" }] });
      case "refuse":
        return Before.refuse(PluginError.operation("source.unreachable", "nobody there"));
      case "throw":
        throw PluginError.usage("policy.target", "not this one", { field: "/target" });
      case "bug":
        throw new TypeError("a bug");
    }
    const { size } = await context.download(KEY);
    return Before.proceed().contribution({ kind: "file", name: "/etc/key", content: `${step.name} ${size}`, order: 1 });
  };
  await using harness = await start({ before });
  const decide = (what: string) => harness.hook("before:build.target", { do: what });
  const proceeds = await decide("");
  assert.equal(proceeds.decision, HookDecision.PROCEED);
  const [given] = proceeds.contributions;
  assert.deepEqual([given?.name, given?.content.toString(), given?.order], ["/etc/key", "build.target 3", 1]);
  assert.equal((await decide("skip")).decision, HookDecision.SKIP);
  const replaced = await decide("replace");
  assert.deepEqual([replaced.decision, replaced.unit?.files[0]?.staged], [HookDecision.REPLACE, "x"]);
  for (const [what, code] of [
    ["refuse", "source.unreachable"],
    ["throw", "policy.target"],
  ] as const) {
    const refused = await decide(what);
    assert.deepEqual([refused.decision, refused.error?.code], [HookDecision.REFUSE, code]);
  }
  await assert.rejects(decide("bug"), { code: Status.INTERNAL });
  await assert.rejects(harness.hook("after:build.target"), { code: Status.UNIMPLEMENTED });
});

test("a hook is told how the step ended, and may change what was made", async () => {
  const seen: Step[] = [];
  const after = (step: Step): After => {
    seen.push(step);
    if (step.error !== undefined) throw PluginError.operation("storage", "the rest cannot be removed");
    return step.outcome === "added" ? After.changed({ type: "image", key: { name: "y" } }) : After.unchanged();
  };
  await using harness = await start({ after });
  const changed = await harness.hook("after:build.target", {}, { outcome: Outcome.ADDED });
  assert.deepEqual([changed.unit?.key, changed.error], ['{"name":"y"}', undefined]);
  assert.equal((await harness.hook("after:build.target", {}, { outcome: Outcome.UNCHANGED })).unit, undefined);
  const failed = await harness.hook("after:build.target", {}, { error: PluginError.usage("config", "bad") });
  assert.deepEqual([failed.error?.code, seen[2]?.outcome, seen[2]?.error?.code], ["storage", "failed", "config"]);
});

test("a hook sees its settings, its parameters and the units of the step", async () => {
  const staged = (context: { workDir: string }, unit: Unit | undefined): string =>
    readFileSync(join(context.workDir, unit?.files?.[0]?.staged ?? ""), "utf8");
  await using harness = await start({
    before(step, context) {
      const { mark } = step.instance.settings<{ mark: string }>();
      const { size } = step.parameters<{ size: number }>();
      const content = `${step.instance.component} ${mark} ${size} ${staged(context, step.parent)}`;
      return Before.proceed().contribution({ kind: "file", name: "/told", content });
    },
    after: (step, context) => After.changed({ type: "image", attributes: { made: staged(context, step.unit) } }),
  });
  const image = (bytes: string): Unit => {
    writeFileSync(join(harness.workDir, `${bytes}.img`), bytes);
    return { type: "image", files: [{ path: "disk.img", staged: `${bytes}.img` }] };
  };
  const told = { component: "it", settings: { mark: "set" }, parameters: { size: 2 }, parent: image("base") };
  const before = await harness.hook("before:build.target", {}, told);
  assert.equal(before.contributions[0]?.content.toString(), "it set 2 base");
  const made = { ...told, outcome: Outcome.ADDED, unit: image("made") };
  const { unit } = await harness.hook("after:build.target", {}, made);
  assert.deepEqual([unit?.attributes, unit?.key, unit?.files], ['{"made":"made"}', "", []]);
});

test("the end of the plugin ends a hook that asks the host", async () => {
  const asked = new Signal();
  const before: Hooks["before"] = async (_step, context) => {
    asked.give();
    await new Promise((resume) => context.signal.addEventListener("abort", resume));
    await context.acquire({ kind: "lock", name: "x" });
    return Before.proceed();
  };
  await using harness = await start({ before });
  const hooked = harness.hook("before:build.target");
  const refused = assert.rejects(hooked, { code: Status.CANCELLED });
  await asked.given;
  await harness.stop();
  await refused;
});

test("hooks agree with the manifest", async () => {
  const without = new Plugin(SUBSCRIBED).importer("it", {});
  await assert.rejects(Harness.start(without), { message: /names hooks, but the program registers none/ });
  await assert.rejects(Harness.start(sample({}).hooks({})), {
    message: /names no hooks, but the program registers some/,
  });
  await using harness = await Harness.start(sample({}));
  await assert.rejects(harness.hook("before:sync"), { code: Status.UNIMPLEMENTED });
});

test("a check reads the secrets that the values name", async () => {
  const importer: Importer = {
    sync: () => Promise.reject(new Error("not called")),
    async check(check) {
      const secret = await check.secret(check.values<{ password: string }>().password);
      if (Buffer.from(secret).toString() === "s3cret") return Checked.good();
      return Checked.good().error("/password", "unauthorized", "wrong password");
    },
  };
  const host = new FakeHost({ secrets: { school: "s3cret", old: "changed" } });
  await using harness = await Harness.start(new Plugin(MANIFEST).importer("importer", importer), host);
  const check = (password: string) => harness.call("importer", { settings: { password } }).check();
  assert.deepEqual((await check("school")).errors, []);
  assert.equal((await check("old")).errors[0]?.message, "wrong password");
  assert.equal((await check("none")).errors[0]?.code, "not_found");
});
