/** A plugin for tests of the process: it prints, throws and hangs where it should not. Run by the tests themselves. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";

import { Done, logger, PluginError } from "wharf-sdk";

import { sample, thing } from "./sample.js";

console.log("printed before serving");
process.stdout.write("written before serving\n");

const never = new Promise<never>(() => undefined);

const plugin = sample({
  async print(context) {
    console.log("printed %s", "with console");
    console.error("an error %d", 7);
    process.stdout.write("written to standard output\n");
    spawnSync("echo", ["said by a child"], { stdio: "inherit" });
    logger("strange.index").warn("read", { entries: 3, cause: new Error("why") });
    await context.unit(thing("a"));
    return Done.changed();
  },
  reject() {
    void Promise.reject(new TypeError("nobody waits for this"));
    return never;
  },
  timer() {
    setTimeout(() => {
      throw new TypeError("thrown in a timer");
    }, 1);
    return never;
  },
  async stray() {
    await new Promise((resume) => setTimeout(resume, 1));
    setImmediate(() => {
      throw PluginError.operation("source.gone", "thrown behind the back");
    });
    return never;
  },
  async ask(context) {
    const { staged } = await context.download("https://x.example/list");
    const text = await readFile(context.inWorkDir(staged ?? ""), "utf8");
    await context.unit(thing(text));
    return Done.changed();
  },
  late() {
    setTimeout(() => {
      throw new TypeError("thrown after the end");
    }, 50);
    return Promise.resolve(Done.unchanged());
  },
  exit: () => process.exit(7),
  async wait(context) {
    await context.log("info", "waiting");
    await new Promise((resume) => context.signal.addEventListener("abort", resume));
    return Done.unchanged();
  },
  async stuck(context) {
    await context.log("info", "stuck");
    return never;
  },
})
  .grace(200)
  .logLevel(process.env.WHARF_TEST_LEVEL === "error" ? "error" : "debug");

await (process.env.WHARF_TEST_DEBUG === "1" ? plugin.debug() : plugin.serve());
