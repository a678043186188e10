/**
 * How many declared units a second go from a plugin's method to a host that counts and drops them, over a private
 * socket: `node examples/throughput/dist/main.js [UNITS]`.
 *
 * Three ways: both sides in one thread, as in tests; the host in a process of its own, as in life; and a host that
 * does not even decode, which leaves what the plugin's side can do alone.
 */
import { fork } from "node:child_process";
import { once } from "node:events";

import { Client, credentials } from "@grpc/grpc-js";
import { Done, type Importer, Plugin } from "wharf-sdk";
import { Harness } from "wharf-sdk/testing";
import { Event } from "wharf-sdk/wire/event";
import { ImporterService, SyncRequest } from "wharf-sdk/wire/importer";

const UNITS = Number(process.argv[2] ?? 500_000);
const SUM = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const MANIFEST = '{"name": "many", "version": "0.1.0", "components": [{"id": "importer", "role": "importer"}]}';

const many: Importer = {
  async sync(_request, context) {
    for (let n = 0; n < UNITS; n++) {
      const path = `pool/main/${n % 100}/file-${n}.bin`;
      const file = { path, sha256: SUM, size: 1_024, sources: [`https://mirror.example.org/tree/${path}`] };
      await context.unit({ type: "file", key: { relative_path: path, sha256: SUM }, files: [file] });
    }
    return Done.changed();
  },
};

/** Makes the call and counts what comes; bytes, if nothing is to be decoded. */
async function count(client: Client, decode: boolean): Promise<number> {
  const request = SyncRequest.fromPartial({ attachment: { instance: { component: "importer" } } });
  const { path, requestSerialize } = ImporterService.sync;
  const events = client.makeServerStreamRequest(path, requestSerialize, (bytes: Buffer) => bytes, request);
  let count = 0;
  for await (const bytes of events as AsyncIterable<Buffer>) {
    if (!decode) {
      count += bytes.length;
      continue;
    }
    const { event } = Event.decode(bytes);
    if (event?.$case === "units") count += event.value.units.length;
  }
  return count;
}

async function measure(name: string, work: () => Promise<unknown>): Promise<void> {
  const begun = performance.now();
  const processor = process.cpuUsage();
  await work();
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(processor);
  const busy = (user + system) / 1e6;
  const rate = Math.round(UNITS / seconds);
  console.log(
    `${name}: ${UNITS} units in ${seconds.toFixed(2)} s, ${rate} a second; ${busy.toFixed(2)} s of processor`,
  );
}

/** The host's side, in a process of its own. */
async function reader(address: string, decode: boolean): Promise<void> {
  const child = fork(new URL(import.meta.url), [String(UNITS), address, decode ? "decode" : "drop"]);
  const [code] = (await once(child, "exit")) as [number];
  if (code !== 0) throw new Error(`the reader ended with ${code}`);
}

const [address, how] = process.argv.slice(3);
if (address === undefined) {
  const harness = await Harness.start(new Plugin(MANIFEST).importer("importer", many));
  const target = harness.client.getChannel().getTarget();
  await measure("both sides on one thread", () => count(harness.client, true));
  await measure("the host in another process", () => reader(target, true));
  await measure("a host that only drops", () => reader(target, false));
  await harness.close();
} else {
  const client = new Client(address, credentials.createInsecure(), { "grpc.max_receive_message_length": -1 });
  await count(client, how === "decode");
  client.close();
}
