/** Which server a run is about: one to attach to, or one to start. */
import { ProfileError } from "./read.ts";
import type { Sources } from "./sources.ts";
import { readValue, UsageError } from "./usage.ts";
import { address, mismatchMessage, nonEmpty } from "./values.ts";

export interface ServerChoice {
  readonly url: string | undefined;
  readonly serverBin: string | undefined;
  /** Only beside `serverBin`. */
  readonly olderServerBin: string | undefined;
  readonly serverConfig: string | undefined;
}

/** Never both: a run cannot certify one server by stopping another. Throws UsageError and ProfileError. */
export function chooseServer(from: Sources): ServerChoice {
  const { flags, document } = from;
  if (flags.url !== undefined && flags.serverBin !== undefined) {
    throw new UsageError(
      "urlAndServerBin",
      "--url and --server-bin cannot be combined: name a running server, or one for kalam-ready to start",
    );
  }
  const url = chooseUrl(from);
  // Last of all: a variable that is set for something else must not replace a server that was named.
  const variable = url === undefined ? from.variable("KALAMDB_SERVER_BIN") : undefined;
  if (flags.serverConfig !== undefined && flags.serverBin === undefined && variable === undefined)
    throw new UsageError("serverConfigWithoutServerBin", "--server-config requires --server-bin");
  if (flags.olderServerBin !== undefined && flags.serverBin === undefined && variable === undefined)
    throw new UsageError("olderServerBinWithoutServerBin", "--older-server-bin requires --server-bin");
  const binary = flags.serverBin ?? variable;
  const none = { url: undefined, serverBin: undefined, olderServerBin: undefined, serverConfig: undefined };
  if (binary !== undefined) {
    const origin = flags.serverBin === undefined ? "environment KALAMDB_SERVER_BIN" : "flag --server-bin";
    const { serverConfig } = flags;
    return from.note("server", origin, {
      ...none,
      serverBin: readValue("--server-bin", binary, nonEmpty),
      olderServerBin: from.pick("olderServerBin"),
      serverConfig: serverConfig === undefined ? undefined : readValue("--server-config", serverConfig, nonEmpty),
    });
  }
  if (url !== undefined) return from.note("server", url.origin, { ...none, url: url.read() });
  return from.note("server", document.server === undefined ? "default" : from.line("server"), none);
}

/** The first source of a URL; undefined with --server-bin, which replaces it. */
function chooseUrl(from: Sources): { readonly origin: string; read(): string } | undefined {
  const { flags, document } = from;
  if (flags.serverBin !== undefined) return undefined;
  const { url } = flags;
  if (url !== undefined) return { origin: "flag --url", read: () => readValue("--url", url, address) };
  const variable = from.variable("KALAM_READY_URL");
  if (variable !== undefined) {
    return {
      origin: "environment KALAM_READY_URL",
      read: () => readValue("KALAM_READY_URL", variable, address),
    };
  }
  const { server } = document;
  return server === undefined ? undefined : { origin: from.line("server"), read: () => readWritten(from, server) };
}

function readWritten(from: Sources, text: string): string {
  const parsed = address.parse(text);
  if ("value" in parsed) return parsed.value;
  const message = `server: ${mismatchMessage(address, parsed, JSON.stringify(text))}`;
  throw new ProfileError(from.from, [{ code: parsed.code, message, ...from.lineNumber("server") }]);
}
