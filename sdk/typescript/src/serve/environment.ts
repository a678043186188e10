/**
 * What the host tells by variables of the environment. Source: the protocol's text, section 1.
 *
 * @module
 */

/** Tells that a host started the program; protects nothing. */
export const COOKIE = {
  key: "WHARF_PLUGIN",
  value: "0f6b6a1f0a3c5f1d7d5f2e0c9b8a47663e21d4c8b59f70a2e6d31c84f7b9a05e",
} as const;

/** Application versions that this SDK speaks. */
export const APP_VERSIONS: readonly number[] = [1];

/** What the host wants. */
export interface Environment {
  /** The application version to speak. */
  readonly app: number;
  /** The host's certificate, PEM. Undefined: no TLS. */
  readonly hostCertificate: string | undefined;
  /** Where the socket goes. Undefined: a folder of the plugin's own. */
  readonly socketDir: string | undefined;
  /** Name or number of the group that the socket is given to. */
  readonly socketGroup: string | undefined;
  /** The host asks about multiplexing, and must be answered. */
  readonly multiplex: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Whether a host started the program. */
export function isLaunched(variables: Variables): boolean {
  return variables[COOKIE.key] === COOKIE.value;
}

/** An empty variable counts as one that is not set. */
export function readEnvironment(variables: Variables): Environment {
  const get = (name: string): string | undefined => variables[name] || undefined;
  return {
    app: negotiate(get("PLUGIN_PROTOCOL_VERSIONS") ?? ""),
    hostCertificate: get("PLUGIN_CLIENT_CERT"),
    socketDir: get("PLUGIN_UNIX_SOCKET_DIR"),
    socketGroup: get("PLUGIN_UNIX_SOCKET_GROUP"),
    multiplex: get("PLUGIN_MULTIPLEX_GRPC") !== undefined,
  };
}

/** The highest version that both know; if there is none, the lowest of ours, which the host then refuses. */
function negotiate(offered: string): number {
  const numbers = offered.split(",").map((item) => (/^\d+$/.test(item.trim()) ? Number(item) : undefined));
  const common = APP_VERSIONS.filter((version) => numbers.includes(version));
  return common.length > 0 ? Math.max(...common) : Math.min(...APP_VERSIONS);
}
