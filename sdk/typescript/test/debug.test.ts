/** Under a debugger a plugin serves without a host, and says where. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Client, credentials } from "@grpc/grpc-js";
import { DescribeRequest, PluginService } from "wharf-sdk/wire/plugin";

import { ask } from "./child.js";

interface Told {
  Protocol: string;
  ProtocolVersion: number;
  Pid: number;
  Test: boolean;
  Addr: { Network: string; String: string };
}

test("it tells where it is, answers in clear, and ends with Ctrl-C", async () => {
  const program = fileURLToPath(new URL("strange.js", import.meta.url));
  const environment = { ...process.env, WHARF_PLUGIN: "", WHARF_TEST_DEBUG: "1" };
  const child = spawn(process.execPath, [program], { env: environment, stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "close");
  const client = await (async () => {
    for await (const line of createInterface(child.stdout)) {
      if (!line.startsWith("{")) continue;
      const { Addr, ...told } = JSON.parse(line) as Told;
      assert.deepEqual(told, { Protocol: "grpc", ProtocolVersion: 1, Pid: child.pid, Test: true });
      assert.equal(Addr.Network, "unix");
      assert.equal(statSync(dirname(Addr.String)).mode & 0o777, 0o700);
      const options = { "grpc.default_authority": "localhost" };
      return { path: Addr.String, to: new Client(`unix:${Addr.String}`, credentials.createInsecure(), options) };
    }
    throw new Error("it told nothing");
  })();
  assert.equal((await ask(client.to, PluginService.describe, DescribeRequest.create())).name, "sample");
  client.to.close();
  child.kill("SIGINT");
  const [status] = (await ended) as [number];
  assert.equal(status, 0);
  assert(!existsSync(dirname(client.path)));
});
