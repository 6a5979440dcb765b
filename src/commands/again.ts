/** The command that runs one check again: complete, so that it can be pasted into a new shell where only secrets are set. */
import path from "node:path";
import type { Check } from "../check.ts";
import { unprintable } from "../formats/printable.ts";
import { commandText, shellWord } from "../formats/shell.ts";
import { allowedByProfile, type Profile } from "../profile/effective.ts";
import { chooseProxy } from "../profile/proxies.ts";
import type { ProfileSource } from "../profile/read.ts";
import { flagName, runSettings, serverSettings, settings, type Flags, type Setting } from "../profile/settings.ts";
import type { Again } from "../report.ts";
import type { Credentials } from "../session/entering.ts";
import type { Redactor } from "../session/redaction.ts";
import type { SecretPlace } from "./by-hand.ts";
import { programPath } from "./files.ts";

export interface AgainParts {
  readonly flags: Flags;
  readonly environment: NodeJS.ProcessEnv;
  readonly profile: Pick<Profile, "url" | "serverBin" | "olderServerBin" | "kalamBin" | "production" | "way">;
  readonly source: Pick<ProfileSource, "document" | "word" | "variables">;
  /** Undefined for a server that is started for the run. */
  readonly credentials: Credentials | undefined;
  readonly seed: number;
  /** The words that start kalam-ready. */
  readonly program: readonly string[];
  readonly redactor: Pick<Redactor, "redact">;
}

/** How kalam-ready was started, by the path of its script. */
export function startedAs(script: string, environment: NodeJS.ProcessEnv): readonly string[] {
  const isInstalled = /[\\/]node_modules[\\/]/.test(script);
  // npx, npm exec and scripts of a package find it where a shell does not.
  if (isInstalled && (environment["npm_command"] ?? environment["npm_execpath"] ?? environment["npm_lifecycle_event"]))
    return ["npx", "kalam-ready"];
  if (script.endsWith(".js")) return ["node", script];
  const folders = (environment["PATH"] ?? "").split(path.delimiter);
  return folders.includes(path.dirname(script)) ? [path.basename(script)] : [script];
}

/** What a check and a run decide about a flag, where it is not simply given again as it was. */
type Values = (parts: AgainParts, check: Check) => readonly string[];

const decided: Partial<Record<keyof Flags, Values>> = {
  url: ({ profile: { url } }) => optional(url),
  profile: ({ source: { word } }) => optional(word),
  user: ({ credentials }) => (credentials?.kind === "password" ? [credentials.user] : []),
  // Who pastes the command has no pipe with the password.
  passwordStdin: () => [],
  serverBin: ({ profile: { serverBin } }) => optional(serverBin).map((named) => programPath("--server-bin", named)),
  olderServerBin: ({ profile: { olderServerBin } }, { observation: { needs } }) =>
    needs?.includes("older-server") === true
      ? optional(olderServerBin).map((named) => programPath("--older-server-bin", named))
      : [],
  kalamBin: ({ profile: { kalamBin } }, { observation: { needs } }) =>
    needs?.includes("kalam") === true ? optional(kalamBin).map((named) => programPath("--kalam-bin", named)) : [],
  allow: ({ source: { document }, profile: { production } }, { observation: { touches } }) =>
    touches === "nothing" || allowedByProfile(document, production).includes(touches) ? [] : [touches],
  only: (_, { id }) => [id],
  skip: () => [],
  require: () => [],
  // The profile's report files must not be replaced by those of one check.
  report: ({ source: { document } }) => ((document.reports ?? []).length > 0 ? ["table"] : []),
  json: () => [],
};

export function againCommand(parts: AgainParts, check: Check): Again {
  const { environment, redactor } = parts;
  const isShown = (word: string): boolean => redactor.redact(word) === word && word.search(unprintable) === -1;
  const words = ["check"];
  const needs = new Set<string>();
  for (const name of [...serverSettings, ...runSettings]) {
    const setting: Setting & { readonly flag: string } = settings[name];
    const flag = flagName(name);
    for (const value of decided[name]?.(parts, check) ?? given(name, parts)) {
      if (value === true) words.push(flag);
      else if (isShown(value)) {
        words.push(flag, value);
        // A reference is printed as it was given, and its value is needed.
        for (const [, variable = ""] of value.matchAll(/\$\{env:(\w+)/g))
          if (environment[variable] !== undefined) needs.add(`${variable} set`);
      } else needs.add(setting.variable === undefined ? `the same ${flag}` : `${setting.variable} set`);
    }
  }
  for (const variable of [...secretVariables(parts), ...parts.source.variables]) needs.add(`${variable} set`);
  if (parts.source.word === "-") needs.add("the same profile on stdin");
  words.push(flagName("seed"), String(parts.seed), "-v");
  const assigned: string[] = [];
  for (const [name, value] of surroundingsOf(parts)) {
    if (isShown(value)) assigned.push(`${name}=${shellWord(value)}`);
    else needs.add(`${name} set`);
  }
  return { command: [...assigned, commandText([...parts.program, ...words])].join(" "), needs: [...needs] };
}

function optional(word: string | undefined): readonly string[] {
  return word === undefined ? [] : [word];
}

/** The values of a flag, or else of its variable; `true` for a flag without a value. Files by their absolute paths. */
function given(name: keyof Flags, { flags, environment }: AgainParts): readonly (string | true)[] {
  const { flag, kind, variable = "" }: Setting & { readonly flag: string } = settings[name];
  const written = flags[name] ?? (environment[variable] === "" ? undefined : environment[variable]);
  if (written === undefined || typeof written === "boolean") return written === true ? [true] : [];
  const values = typeof written === "string" ? [written] : written;
  if (!flag.includes("<")) return values.some((value) => isTrue(kind?.parse(value))) ? [true] : [];
  return /<(file|path)>/.test(flag) ? values.map((value) => path.resolve(value)) : values;
}

function isTrue(parsed: object | undefined): boolean {
  return parsed !== undefined && "value" in parsed && parsed.value === true;
}

/** Where the secret of the login is to be put for a command that has no profile. */
export function secretPlace({ credentials, flags }: AgainParts): SecretPlace | undefined {
  if (credentials === undefined || credentials.kind === "none") return undefined;
  if (credentials.kind === "token" && flags.tokenFile !== undefined)
    return { kind: "tokenFile", file: path.resolve(flags.tokenFile) };
  return { kind: credentials.kind, variable: settings[credentials.kind].variable };
}

/** Whether curl reaches the server without being told more than its URL: it trusts whom Node trusts, and no gateway is in front. */
export function isOpenToCurl({ environment, profile: { url = "", way } }: AgainParts): boolean {
  const { caFile, clientCert, insecure, headers, headersGiven } = way;
  if (headers.length + headersGiven.length > 0) return false;
  const isOwnTrust = caFile !== undefined || clientCert !== undefined || insecure;
  return !url.startsWith("https:") || (!isOwnTrust && (environment["NODE_EXTRA_CA_CERTS"] ?? "") === "");
}

/** The variable with the password or the token, unless a file or the profile has it. */
function secretVariables(parts: AgainParts): readonly string[] {
  const place = secretPlace(parts);
  if (place === undefined || place.kind === "tokenFile") return [];
  const isPiped = place.kind === "password" && parts.flags.passwordStdin === true;
  return isPiped || (parts.environment[place.variable] ?? "") !== "" ? [place.variable] : [];
}

/** Variables without a flag that a run depends on. */
function surroundingsOf({ environment, profile: { url } }: AgainParts): readonly (readonly [string, string])[] {
  const paths = [settings.state.variable, ...(url?.startsWith("https:") === true ? ["NODE_EXTRA_CA_CERTS"] : [])];
  const proxy = url === undefined ? undefined : chooseProxy(url, environment, () => undefined);
  return [...paths, ...(proxy === undefined ? [] : [proxy.variable])].flatMap((name) => {
    const value = environment[name] ?? "";
    return value === "" ? [] : [[name, paths.includes(name) ? path.resolve(value) : value] as const];
  });
}

/** The command that removes what a run left on an attached server: it reaches the server in the same way. */
export function cleanupCommand({ way }: Pick<Profile, "way">, url: string, run: string): string {
  const { caFile, clientCert, clientKey, insecure, headersGiven } = way;
  const files = {
    [flagName("caFile")]: caFile,
    [flagName("clientCert")]: clientCert,
    [flagName("clientKey")]: clientKey,
  };
  return commandText([
    "kalam-ready",
    "cleanup",
    "--url",
    url,
    "--run",
    run,
    ...Object.entries(files).flatMap(([flag, named]) => (named === undefined ? [] : [flag, path.resolve(named.file)])),
    ...(insecure ? [flagName("insecure")] : []),
    ...headersGiven.flatMap(({ name, value }) => [flagName("header"), `${name}: ${value}`]),
  ]);
}
