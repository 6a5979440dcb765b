/** The way to the server as it is used: certificates are read, references in headers replaced, and the proxy is chosen. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { readText, whyUnreadable } from "../profile/bounded.ts";
import { headerText, secretsIn, type Header } from "../profile/headers.ts";
import { chooseProxy } from "../profile/proxies.ts";
import { expandReferences } from "../profile/references.ts";
import { readValue, UsageError } from "../profile/usage.ts";
import type { NamedFile, WaySettings } from "../profile/way.ts";
import type { Way } from "../wire/way.ts";
import type { Output } from "./output.ts";

/**
 * To a server at this URL that somebody else runs; servers of our own are always reached directly. Every secret in it is
 * registered with the redactor. Throws UsageError and ProfileError.
 */
export function makeWay(url: string, settings: WaySettings, environment: NodeJS.ProcessEnv, output: Output): Way {
  const hide = (secret: string): void => output.redactor.add(secret);
  const given = settings.headersGiven.map((header) => expanded(header, environment, hide));
  const headers = [...settings.headers, ...given].map(({ name, value }) => [name.toLowerCase(), value] as const);
  const { insecure } = settings;
  const proxy = chooseProxy(url, environment, hide);
  return {
    headers: Object.fromEntries(headers),
    insecure,
    ...contextOf(url, settings),
    ...(proxy === undefined ? {} : { proxy }),
  };
}

export function warnOfInsecure({ insecure }: Way, url: string, output: Output): void {
  if (!insecure) return;
  const risk = "anyone on the way can pretend to be it, and read the credentials";
  output.complain(`warning: the certificate of ${url} is not verified (--insecure): ${risk}`);
}

function expanded({ name, value }: Header, environment: NodeJS.ProcessEnv, onSecret: (secret: string) => void): Header {
  const found = expandReferences(value, { environment, folder: process.cwd(), onSecret });
  if ("code" in found) {
    throw new UsageError("headerReference", `--header: ${name}: ${found.message}`, { setting: "--header" });
  }
  for (const secret of [...found.fromVariables, ...secretsIn(found.value)]) onSecret(secret);
  return { name, value: readValue(`--header: ${name}`, found.value, headerText) };
}

/** Nothing for plain HTTP: there is no TLS to use it for. */
function contextOf(url: string, { caFile, clientCert, clientKey }: WaySettings): Partial<Way> {
  if (!url.startsWith("https:") || (caFile === undefined && clientCert === undefined)) return {};
  const ca = caFile === undefined ? undefined : readCertificates(caFile);
  const cert = clientCert === undefined ? undefined : readCertificates(clientCert).join("");
  const key = clientKey === undefined ? undefined : readKey(clientKey);
  try {
    const context = createSecureContext({ ca, cert, key });
    return { context, hasClientCertificate: cert !== undefined };
  } catch (error) {
    if (clientCert === undefined) throw error;
    const { setting, file, reject } = clientCert;
    const isOther = /KEY_VALUES_MISMATCH|KEY_TYPE_MISMATCH/.test((error as NodeJS.ErrnoException).code ?? "");
    const why = isOther ? `does not belong to the key in ${clientKey?.file ?? ""}` : "cannot be used for TLS";
    return reject("notPem", `${setting}: the certificate in ${file} ${why}`);
  }
}

/** Each certificate of the file, in PEM form. */
function readCertificates(named: NamedFile): string[] {
  const found = textOf(named).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
  const { setting, file, reject } = named;
  if (found.length === 0) return reject("notPem", `${setting}: there is no certificate in PEM form in ${file}`);
  for (const [at, text] of found.entries()) {
    try {
      void new X509Certificate(text);
    } catch {
      const which = found.length === 1 ? "the certificate" : `certificate ${at + 1}`;
      return reject("notPem", `${setting}: ${which} in ${file} is damaged`);
    }
  }
  return found.map((text) => (text.endsWith("\n") ? text : `${text}\n`));
}

function readKey(named: NamedFile): string {
  const text = textOf(named);
  const { setting, file, reject } = named;
  try {
    createPrivateKey(text);
    return text;
  } catch {
    const isEncrypted = /ENCRYPTED/.test(text);
    const why = isEncrypted
      ? `the key in ${file} is encrypted; give it decrypted`
      : `there is no key in PEM form in ${file}`;
    return reject("notPem", `${setting}: ${why}`);
  }
}

function textOf({ file, setting, reject }: NamedFile): string {
  try {
    return readText(file);
  } catch (error) {
    return reject("pemUnreadable", `${setting}: cannot read ${file}: ${whyUnreadable(error)}`);
  }
}
