/** A plugin's process does what a go-plugin host wants, and nothing that its author does breaks it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { test } from "node:test";

import { type Client, type ServiceError, status as Status } from "@grpc/grpc-js";
import { ErrorClass } from "wharf-sdk/testing";
import { DescribeRequest, PluginService } from "wharf-sdk/wire/plugin";

import { GRPCControllerService } from "../dist/gen/goplugin/controller.js";
import { HealthCheckResponse_ServingStatus as Serving, HealthService } from "../dist/gen/goplugin/health.js";
import { GRPCStdioService } from "../dist/gen/goplugin/stdio.js";
import { ask, Child, sync } from "./child.js";
import { identity } from "./identity.js";

const describe = (client: Client) => ask(client, PluginService.describe, DescribeRequest.create());
const health = (client: Client, service: string) => ask(client, HealthService.check, { service });
const shutdown = (client: Client) => ask(client, GRPCControllerService.shutdown, {});

async function status(work: Promise<unknown>): Promise<Status | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => (error as ServiceError).code,
  );
}

test("lines that are less serious than wanted are left out", async () => {
  await using child = await Child.start({ environment: { WHARF_TEST_LEVEL: "error" } });
  const run = await sync(await child.client(), "print").finish();
  assert.equal(run.units.length, 1);
  assert.equal((await child.said("an error 7")).length, 1);
  await shutdown(await child.client());
  await child.ended();
  assert.deepEqual(child.logged("read"), []);
});

test("the handshake is one line that names socket and certificate", async () => {
  await using child = await Child.start();
  const [core, app, network, address, protocol, certificate, ...more] = await child.handshake();
  assert.deepEqual([core, app, network, protocol, more], ["1", "1", "unix", "grpc", []]);
  assert(address?.startsWith(child.folder));
  assert.match(certificate ?? "", /^[A-Za-z0-9+/]{100,}$/);
  const client = await child.client();
  assert.equal((await describe(client)).name, "sample");
  assert.equal((await health(client, "plugin")).status, Serving.SERVING);
  assert.equal(await status(health(client, "other")), Status.NOT_FOUND);
  assert.equal(child.lines.length, 1);
});

test("what the host asks for by variables is done", async () => {
  const group = String(process.getgid?.() ?? 0);
  const environment = {
    PLUGIN_MULTIPLEX_GRPC: "1",
    PLUGIN_UNIX_SOCKET_GROUP: group,
    PLUGIN_PROTOCOL_VERSIONS: "9,x,1",
  };
  await using child = await Child.start({ environment });
  const [, app, , address, , , mux] = await child.handshake();
  assert.deepEqual([app, mux], ["1", "false"]);
  const socket = statSync(address ?? "");
  assert.deepEqual([socket.mode & 0o777, String(socket.gid)], [0o660, group]);
});

test("without a certificate of the host there is no TLS, and without a folder one of its own", async () => {
  await using child = await Child.start({ plain: true, environment: { PLUGIN_UNIX_SOCKET_DIR: "" } });
  const [, , , address, , certificate] = await child.handshake();
  assert.equal(certificate, "");
  const client = await child.client();
  await describe(client);
  await shutdown(client);
  assert.equal(await child.ended(), 0);
  assert.equal(existsSync(address ?? ""), false);
});

test("only the host's certificate is let in, and only with TLS 1.3", async () => {
  await using child = await Child.start();
  assert.equal(await status(describe(await child.client(await identity()))), Status.UNAVAILABLE);
  assert.equal(await status(describe(await child.client(child.identity, "TLSv1.2"))), Status.UNAVAILABLE);
  await describe(await child.client());
});

test("run by hand it says what it is, on standard error, and ends with 1", async () => {
  await using child = await Child.start({ environment: { WHARF_PLUGIN: "" } });
  assert.equal(await child.ended(), 1);
  assert.match(child.errors.join("\n"), /This is sample 1.2.3, a plugin of wharf/);
});

test("what keeps it from beginning is said, and the status is 1", async () => {
  for (const [environment, message] of [
    [{ PLUGIN_CLIENT_CERT: "no certificate" }, /PEM/],
    [{ PLUGIN_UNIX_SOCKET_DIR: `/${"x".repeat(110)}` }, /more than 107 bytes/],
    [{ PLUGIN_UNIX_SOCKET_GROUP: "no-such-group" }, /there is no group "no-such-group"/],
    [{ PLUGIN_UNIX_SOCKET_DIR: "/nowhere" }, /cannot listen at/],
  ] as const) {
    await using child = await Child.start({ environment });
    assert.equal(await child.ended(), 1);
    assert.match(child.errors.join("\n"), message);
    assert.deepEqual(child.lines, []);
  }
});

test("stray prints go to standard error, before and after the handshake", async () => {
  await using child = await Child.start();
  const client = await child.client();
  (await sync(client, "print").finish()).done();
  await shutdown(client);
  assert.equal(await child.ended(), 0);
  // A child process prints to the pipe itself: behind the handshake that means nothing.
  assert.deepEqual(child.lines.slice(1), ["said by a child"]);
  for (const text of ["written before serving", "written to standard output"])
    assert(child.errors.includes(text), text);
  assert.equal(child.logged("printed before serving")[0]?.["@level"], "info");
  assert.equal(child.logged("printed with console")[0]?.["@module"], "console");
  assert.equal(child.logged("an error 7")[0]?.["@level"], "error");
  const [line] = child.logged("read");
  assert.deepEqual([line?.["@level"], line?.["@module"], line?.entries], ["warn", "strange.index", 3]);
  assert.match(String(line?.cause), /^Error: why\n +at /);
  assert.match(String(line?.["@timestamp"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
});

test("what a call throws behind its own back is a fault of that call only", async () => {
  await using child = await Child.start();
  const client = await child.client();
  const other = sync(client, "wait");
  await other.next();
  for (const [task, message] of [
    ["reject", "nobody waits for this"],
    ["timer", "thrown in a timer"],
  ] as const) {
    const failure = (await sync(client, task).finish()).failure();
    assert.equal(failure.class, ErrorClass.FAULT);
    assert(failure.message.includes(message), failure.message);
  }
  assert.equal((await sync(client, "stray").finish()).failure().code, "source.gone");
  (await sync(client, "print").finish()).done();
  await shutdown(client);
  assert.equal((await other.finish()).result?.changed, false);
  assert.equal(await child.ended(), 0);
  const traces = child.logged("a call ended with a fault").map((line) => String(line.error));
  assert.equal(traces.length, 2);
  assert.match(traces[1] ?? "", /TypeError: thrown in a timer\n +at .*strange/);
});

test("what a call throws after its end is in the log, and ends nothing", async () => {
  await using child = await Child.start();
  const client = await child.client();
  (await sync(client, "late").finish()).done();
  const [line] = await child.said("a call threw after its end");
  assert.match(String(line?.error), /thrown after the end/);
  await describe(client);
});

test("the host's word ends running calls, the stuck ones too, and the process with 0", async () => {
  await using child = await Child.start();
  const client = await child.client();
  const printed = client.makeServerStreamRequest(
    GRPCStdioService.streamStdio.path,
    GRPCStdioService.streamStdio.requestSerialize,
    (bytes: Buffer) => bytes,
    {},
  );
  const closed = once(printed.resume(), "end");
  const stuck = sync(client, "stuck");
  await stuck.next();
  const began = performance.now();
  await shutdown(client);
  assert.equal((await stuck.finish()).failure().class, ErrorClass.CANCELLED);
  await closed;
  assert.equal(await child.ended(), 0);
  assert(performance.now() - began < 2_000, "a go-plugin host kills after two seconds");
  const [, , , address] = await child.handshake();
  assert.equal(existsSync(address ?? ""), false);
});

test("SIGTERM ends it, SIGINT does not", async () => {
  await using child = await Child.start();
  const client = await child.client();
  child.process.kill("SIGINT");
  await describe(client);
  child.process.kill("SIGTERM");
  assert.equal(await child.ended(), 0);
});

test("it ends when its parent is gone", async () => {
  await using child = await Child.start({ command: ["/bin/sh", "-c", '"$@" & echo $! >&2; wait', "sh"] });
  await child.handshake();
  child.process.kill("SIGKILL");
  // Its pipes stay open until the plugin itself has ended.
  await child.ended();
  assert.equal(child.logged("the plugin ends")[0]?.why, "the end of the parent process");
});

test("a process that ends in a call is seen as such", async () => {
  await using child = await Child.start();
  const client = await child.client();
  assert.equal((await sync(client, "exit").finish()).status?.code, Status.UNAVAILABLE);
  assert.equal(await child.ended(), 7);
});
