/**
 * Mutual TLS between two processes: each has a key and a certificate of its own for this one start, and trusts exactly
 * the other's. Keys stay in memory.
 *
 * @module
 */
import "reflect-metadata"; // the certificate library wants it
import { webcrypto, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";

import { type ChannelCredentials, credentials, ServerCredentials } from "@grpc/grpc-js";
import {
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const SECOND = 1_000;
const YEAR = 365 * 24 * 3_600 * SECOND;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Both ends of a plugin's TLS. */
export interface Security {
  /** For the plugin's own socket. */
  readonly server: ServerCredentials;
  /** For calls of the host's service. */
  readonly client: ChannelCredentials;
  /** The plugin's certificate, DER in base64 without padding, as the handshake line has it. */
  readonly announced: string;
}

/** Makes a key and a certificate, and pins the host's. Throws when that is none. */
export async function pinned(hostCertificate: string): Promise<Security> {
  // The first counts if there are several.
  const host = new X509Certificate(hostCertificate);
  const ca = host.toString();
  const { key, certificate, der } = await identity();
  const client = createSecureContext({ ca, key, cert: certificate, minVersion: "TLSv1.3" });
  const checkServerIdentity = (_name: string, seen: { raw: Buffer }): Error | undefined =>
    seen.raw.equals(host.raw) ? undefined : new Error("the host shows another certificate than it announced");
  return {
    server: new PinnedCredentials(ca, key, certificate),
    client: credentials.createFromSecureContext(client, { checkServerIdentity }),
    announced: der.toString("base64").replace(/=+$/, ""),
  };
}

/** TLS 1.3 for clients that show the pinned certificate; the library's own credentials take older versions too. */
class PinnedCredentials extends ServerCredentials {
  constructor(ca: string, key: string, cert: string) {
    super({ requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" }, { ca, key, cert });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

async function identity(): Promise<{ key: string; certificate: string; der: Buffer }> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const made = await X509CertificateGenerator.createSelfSigned(
    {
      name: "CN=localhost",
      notBefore: new Date(Date.now() - 30 * SECOND),
      notAfter: new Date(Date.now() + 10 * YEAR),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
      ],
    },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
  return { key, certificate: made.toString("pem"), der: Buffer.from(made.rawData) };
}
