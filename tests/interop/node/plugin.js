// A plugin on grpc-js, written from proto/README.md: the interop service, and what a process needs around it.
// Argument: --without=SERVICE leaves out health, controller or stdio. Variable INTEROP_PROTO: the folders of the .proto files.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { webcrypto } = require('node:crypto');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
require('reflect-metadata'); // @peculiar/x509 wants it
const x509 = require('@peculiar/x509');

const COOKIE = '0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e';
const VERSION = 1;

function log(level, message, fields) {
  const time = new Date().toISOString().replace('Z', '000Z');
  const line = { '@level': level, '@message': message, '@module': 'interop.node', '@timestamp': time, ...fields };
  fs.writeSync(2, JSON.stringify(line) + '\n');
}

function services() {
  const files = ['interop.proto', 'goplugin/health.proto', 'goplugin/controller.proto', 'goplugin/stdio.proto'];
  const includeDirs = process.env.INTEROP_PROTO.split(':');
  return grpc.loadPackageDefinition(loader.loadSync(files, { includeDirs, keepCase: true, longs: Number }));
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const peer = {
  Echo: (call, answer) => answer(null, call.request),
  Make: (call, answer) => answer(null, { data: Buffer.alloc(call.request.bytes) }),
  Measure: (call, answer) => answer(null, { bytes: call.request.data.length }),
  async Flow(call) {
    const { count, bytes, pause_ms: ms } = call.request;
    for (let i = 0; i < count && !call.cancelled; i += 1) {
      if (i > 0 && ms > 0) await pause(ms);
      if (!call.write({ data: Buffer.alloc(bytes) })) await new Promise((done) => call.once('drain', done));
    }
    call.end();
  },
  Sum(call) {
    let sum = 0;
    call.on('data', (number) => call.write({ value: (sum += number.value) }));
    call.on('end', () => call.end());
  },
  Log(call, answer) {
    log(call.request.level, call.request.message, call.request.fields);
    answer(null, {});
  },
  Hang: () => {},
  Panic(call) {
    setImmediate(() => { throw new Error(call.request.text); });
  },
  Exit: (call) => process.exit(call.request.value),
  Tell(call, answer) {
    const tls = call.getAuthContext().transportSecurityType ?? '';
    answer(null, {
      version: VERSION, library: 'grpc-js', pid: process.pid, tls, authority: call.getHost(),
      environment: { ...process.env },
    });
  },
};

async function certificate() {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    notBefore: new Date(Date.now() - 30e3),
    notAfter: new Date(Date.now() + 3650 * 86400e3),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth]),
    ],
  }, webcrypto);
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`;
  return { key: Buffer.from(key), chain: Buffer.from(made.toString('pem')), der: Buffer.from(made.rawData) };
}

// The server's credentials and the sixth field. Without PLUGIN_CLIENT_CERT: no TLS, an empty field.
async function credentials() {
  const host = process.env.PLUGIN_CLIENT_CERT;
  if (!host) return { secure: grpc.ServerCredentials.createInsecure(), field: '' };
  const { key, chain, der } = await certificate();
  const pairs = [{ private_key: key, cert_chain: chain }];
  return {
    secure: grpc.ServerCredentials.createSsl(Buffer.from(host), pairs, true),
    field: der.toString('base64').replace(/=+$/, ''),
  };
}

async function main() {
  if (process.env.WHARF_PLUGIN !== COOKIE) {
    process.stderr.write("This is a plugin of wharf's tests; they start it.\n");
    process.exit(1);
  }
  const without = process.argv.slice(2).map((word) => word.replace('--without=', ''));
  const definitions = services();
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  const stop = () => {
    server.tryShutdown(() => process.exit(0));
    setTimeout(() => process.exit(0), 1000).unref();
  };
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) process.exit(0); }, 1000).unref();
  process.on('SIGINT', () => {});
  process.on('SIGTERM', stop);
  server.addService(definitions.interop.v1.Peer.service, peer);
  if (!without.includes('health')) {
    server.addService(definitions.grpc.health.v1.Health.service, {
      Check: (_call, answer) => answer(null, { status: 'SERVING' }),
    });
  }
  if (!without.includes('controller')) {
    server.addService(definitions.plugin.GRPCController.service, {
      Shutdown: (_call, answer) => { answer(null, {}); setImmediate(stop); },
    });
  }
  if (!without.includes('stdio')) {
    server.addService(definitions.plugin.GRPCStdio.service, { StreamStdio: () => {} });
  }
  const address = path.join(process.env.PLUGIN_UNIX_SOCKET_DIR, 'node.sock');
  const { secure, field } = await credentials();
  await new Promise((done, fail) => {
    server.bindAsync(`unix:${address}`, secure, (error) => (error ? fail(error) : done()));
  });
  const mux = process.env.PLUGIN_MULTIPLEX_GRPC ? '|false' : '';
  fs.writeSync(1, `1|${VERSION}|unix|${address}|grpc|${field}${mux}\n`);
  log('info', 'serving', { address });
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
