/** A key and a certificate, as hosts have them. */
import "reflect-metadata";
import { webcrypto } from "node:crypto";

import * as x509 from "@peculiar/x509";

export interface Identity {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
}

export async function identity(): Promise<Identity> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const names = new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]);
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    { name: "CN=localhost", signingAlgorithm: algorithm, keys, extensions: [names] },
    webcrypto,
  );
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
    certificate: made.toString("pem"),
  };
}
