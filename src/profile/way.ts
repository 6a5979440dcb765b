/** The settings of the way to the server: TLS, and headers for a gateway. Files are only named here, not read. */
import path from "node:path";
import { headerLine, type Header } from "./headers.ts";
import { ProfileError } from "./read.ts";
import type { Found, Sources } from "./sources.ts";
import { readValue, UsageError } from "./usage.ts";
import type { ValueCode } from "./values.ts";

/** A file that a setting names. */
export interface NamedFile {
  readonly file: string;
  /** `--ca-file`, `KALAM_READY_CA_FILE`, `tls.ca-file`. */
  readonly setting: string;
  /** Throws UsageError or ProfileError, by where it was named. */
  readonly reject: (code: ValueCode, message: string) => never;
}

export interface WaySettings {
  readonly caFile: NamedFile | undefined;
  readonly clientCert: NamedFile | undefined;
  readonly clientKey: NamedFile | undefined;
  readonly insecure: boolean;
  readonly headers: readonly Header[];
  /** Headers of the command line, in which references are not replaced yet. */
  readonly headersGiven: readonly Header[];
  /** Some of `tls:` in the profile takes effect. */
  readonly tlsFromProfile: boolean;
}

/** `url`: of a server to attach to. Throws UsageError and ProfileError. */
export function chooseWay(from: Sources, url: string | undefined): WaySettings {
  const [caFile, clientCert, clientKey] = [from.find("caFile"), from.find("clientCert"), from.find("clientKey")];
  const insecure = from.find("insecure");
  const set = [caFile, clientCert, clientKey, insecure].filter(({ origin }) => origin !== "default");
  from.note("tls", set.map(({ origin }) => origin).join(", ") || "default", undefined);
  if (insecure.value && url?.startsWith("http:") === true) {
    reject(from, insecure, "insecureWithoutTls", `${insecure.setting}: ${url} is not encrypted at all; use https://`);
  }
  if ((clientCert.value === undefined) !== (clientKey.value === undefined)) {
    const [given, missing] =
      clientKey.value === undefined ? [clientCert, "--client-key"] : [clientKey, "--client-cert"];
    reject(
      from,
      given,
      "incompleteClientCert",
      `${given.setting}: a client certificate needs its key, too: ${missing}`,
    );
  }
  return {
    caFile: named(from, caFile),
    clientCert: named(from, clientCert),
    clientKey: named(from, clientKey),
    insecure: insecure.value,
    ...chooseHeaders(from),
    tlsFromProfile: set.some(({ inProfile }) => inProfile),
  };
}

function chooseHeaders(from: Sources): Pick<WaySettings, "headers" | "headersGiven"> {
  const given = new Map<string, Header>();
  for (const line of from.flags.header ?? []) {
    const header = readValue("--header", line, headerLine);
    const key = header.name.toLowerCase();
    if (given.has(key)) throw new UsageError("givenTwice", `--header: ${header.name} is given twice`);
    given.set(key, header);
  }
  const written = Object.entries(from.document.headers ?? {}).map(([name, value]) => ({ name, value }));
  const origins = [...(given.size > 0 ? ["flag --header"] : []), ...(written.length > 0 ? [from.line("headers")] : [])];
  from.note("headers", origins.join(", ") || "default", undefined);
  return {
    headers: written.filter(({ name }) => !given.has(name.toLowerCase())),
    headersGiven: [...given.values()],
  };
}

function named(from: Sources, found: Found<string | undefined>): NamedFile | undefined {
  const { value, setting, inProfile } = found;
  if (value === undefined) return undefined;
  return {
    // As for `${file:…}`.
    file: inProfile ? path.resolve(from.folder, value) : value,
    setting,
    reject: (code, message) => reject(from, found, code, message),
  };
}

function reject(from: Sources, { inProfile, setting }: Found<unknown>, code: ValueCode, message: string): never {
  if (!inProfile) throw new UsageError(code, message, { setting });
  throw new ProfileError(from.from, [{ code, message, ...from.lineNumber("tls") }]);
}
