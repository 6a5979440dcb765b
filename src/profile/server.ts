/** Which server a run is about. */
import type { Flags } from "./effective.ts";
import { ProfileError } from "./read.ts";
import { notEmpty, UsageError } from "./words.ts";

/** Writes down where the value of a key came from. */
export type Noted = <T>(key: string, origin: string, value: T) => T;

/** Either a server to attach to or one to start, never both: a run cannot certify one server by stopping another. */
export function whichServer(
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  written: string | undefined,
  noted: Noted,
  line: (key: string) => string,
): { url: string | undefined; serverBin: string | undefined; serverConfig: string | undefined } {
  if (flags.url !== undefined && flags.serverBin !== undefined) {
    throw new UsageError(
      "--url and --server-bin do not go together: either a server that runs already, or one that kalam-ready starts",
    );
  }
  if (flags.serverConfig !== undefined && flags.serverBin === undefined && !environment["KALAMDB_SERVER_BIN"]) {
    throw new UsageError("--server-config goes with --server-bin");
  }
  const none = { url: undefined, serverBin: undefined, serverConfig: undefined };
  const own = (bin: string, origin: string) =>
    noted("server", origin, {
      ...none,
      serverBin: notEmpty("--server-bin", bin),
      serverConfig: flags.serverConfig === undefined ? undefined : notEmpty("--server-config", flags.serverConfig),
    });
  if (flags.serverBin !== undefined) return own(flags.serverBin, "flag --server-bin");
  if (flags.url !== undefined) return noted("server", "flag --url", { ...none, url: parseUrl("--url", flags.url) });
  const variable = environment["KALAM_READY_URL"];
  if (variable !== undefined && variable !== "") {
    return noted("server", "environment KALAM_READY_URL", { ...none, url: parseUrl("KALAM_READY_URL", variable) });
  }
  if (written !== undefined) {
    try {
      return noted("server", line("server"), { ...none, url: parseUrl("server", written) });
    } catch (error) {
      throw new ProfileError(`${line("server")}: ${(error as Error).message}`);
    }
  }
  // Last of all: a variable that is set for something else must not turn a run on a named server into another one.
  const bin = environment["KALAMDB_SERVER_BIN"];
  if (bin !== undefined && bin !== "") return own(bin, "environment KALAMDB_SERVER_BIN");
  return noted("server", "default", none);
}

/** The address without its trailing slash. Throws UsageError. */
export function parseUrl(name: string, text: string): string {
  if (text.trim() === "")
    throw new UsageError(`${name} is empty: give the server's address, such as http://127.0.0.1:8080`);
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    const near = /^[\w.-]+(:\d+)?(\/|$)/.test(text) ? `; did you mean "http://${text}"?` : "";
    throw new UsageError(`${name}: ${JSON.stringify(text)} is no address such as http://127.0.0.1:8080${near}`);
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    const near = /^[\w.-]+:\d+/.test(text) ? `; did you mean "http://${text}"?` : "";
    throw new UsageError(`${name}: the address must begin with http:// or https://${near}`);
  }
  // The text itself is not repeated: it holds a password.
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(`${name}: credentials do not belong into an address; use --user and KALAM_READY_PASSWORD`);
  }
  if (url.search !== "" || url.hash !== "") throw new UsageError(`${name}: an address without ?… and #… is wanted`);
  if (url.pathname !== "/")
    throw new UsageError(
      `${name}: KalamDB answers at the root of its address; leave out ${JSON.stringify(url.pathname)}`,
    );
  return url.origin;
}
