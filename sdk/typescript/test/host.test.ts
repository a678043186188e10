/** A plugin's process reaches its host over TLS, with the certificate that it printed, and trusts no other. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Server, ServerCredentials } from "@grpc/grpc-js";
import { ErrorClass, FakeHost, type Run } from "wharf-sdk/testing";
import { HostService } from "wharf-sdk/wire/host";

import { hostService } from "../dist/testing/host.js";
import { Child, pem, sync } from "./child.js";
import { type Identity, identity } from "./identity.js";

const URL = "https://x.example/list";

/** Has a plugin download a list from a host with this identity. */
async function ask(child: Child, as: Identity, host: FakeHost): Promise<Run> {
  const [, , , , , certificate] = await child.handshake();
  const pair = { private_key: Buffer.from(as.key), cert_chain: Buffer.from(as.certificate) };
  const credentials = ServerCredentials.createSsl(Buffer.from(pem(certificate ?? "")), [pair], true);
  const server = new Server();
  server.addService(HostService, hostService(host, child.folder));
  const socket = `${child.folder}/host.sock`;
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socket}`, credentials, (error) => (error === null ? resolve() : reject(error)));
  });
  try {
    return await sync(await child.client(), "ask", `unix://${socket}`, child.folder).finish();
  } finally {
    server.forceShutdown();
  }
}

test("it asks the host whose certificate it was given", async () => {
  await using child = await Child.start();
  const host = new FakeHost({ files: { [URL]: "hello" } });
  const run = await ask(child, child.identity, host);
  assert.deepEqual([run.keys(), host.requests], [['{"name":"hello"}'], [URL]]);
});

test("it asks nobody else", async () => {
  await using child = await Child.start();
  const host = new FakeHost({ files: { [URL]: "hello" } });
  const run = await ask(child, await identity(), host);
  assert.deepEqual([run.failure().class, run.failure().code], [ErrorClass.OPERATION, "internal.host"]);
  assert.deepEqual(host.requests, []);
});

test("an address that leads nowhere is said", async () => {
  await using child = await Child.start();
  const client = await child.client();
  for (const [address, message] of [
    ["", /without a way to the host/],
    ["127.0.0.1:80", /not of the form unix:/],
  ] as const) {
    const failure = (await sync(client, "ask", address).finish()).failure();
    assert.deepEqual([failure.class, failure.code], [ErrorClass.FAULT, "protocol.host_address"]);
    assert.match(failure.message, message);
  }
});
