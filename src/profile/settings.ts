/**
 * Every setting, once: its flag, environment variable, profile key, default, how it is read, and what it does. The flags of
 * the command line, their help, the precedence of the sources, the profile's keys and the README's table come from here.
 */
import { efforts, levels, touchesOrder } from "../check.ts";
import { formatNames } from "../formats/names.ts";
import { headerLine } from "./headers.ts";
import { postgresPlace } from "./postgres.ts";
import { address, anyText, boolean, duration, nonEmpty, number, oneOf, pattern, type Kind } from "./values.ts";

export interface Setting<T = unknown> {
  /** As commander reads it. Absent: there is no flag. */
  readonly flag?: string;
  /** The flag may be given several times. */
  readonly repeats?: true;
  readonly variable?: string;
  /** Its key in a profile; `login.user` is a key inside another. */
  readonly key?: string;
  /** How its text, or each of its words, is read. */
  readonly kind?: Kind<T>;
  readonly fallback?: T;
  /** The default in words, where `fallback` is not what a user would write. */
  readonly defaultText?: string;
  /** What it does, as the help says it. */
  readonly about: string;
}

/** By the name that commander gives the flag. */
export const settings = {
  url: {
    flag: "--url <url>",
    variable: "KALAM_READY_URL",
    key: "server",
    kind: address,
    about: "the server's URL, without credentials",
  },
  profile: {
    flag: "-p, --profile <file|name|->",
    variable: "KALAM_READY_PROFILE",
    kind: nonEmpty,
    defaultText: "kalam-ready.yaml if present, else standard",
    about: "a profile: a file, the name of a shipped profile, or - for stdin",
  },
  user: {
    flag: "--user <name>",
    variable: "KALAM_READY_USER",
    key: "login.user",
    kind: nonEmpty,
    about: "the user to log in as; most checks need the role dba",
  },
  password: {
    variable: "KALAM_READY_PASSWORD",
    key: "login.password",
    about: "the user's password; no flag, because any process can read arguments",
  },
  passwordStdin: { flag: "--password-stdin", about: "read the password from stdin" },
  tokenFile: {
    flag: "--token-file <file>",
    about: "a file with an access token, instead of user and password",
  },
  token: {
    variable: "KALAM_READY_TOKEN",
    key: "login.token",
    about: "an access token, instead of user and password",
  },
  caFile: {
    flag: "--ca-file <file>",
    variable: "KALAM_READY_CA_FILE",
    key: "tls.ca-file",
    kind: nonEmpty,
    defaultText: "the CAs of Node",
    about: "the only CA certificates to trust, in PEM form",
  },
  clientCert: {
    flag: "--client-cert <file>",
    variable: "KALAM_READY_CLIENT_CERT",
    key: "tls.client-cert",
    kind: nonEmpty,
    about: "a client certificate with its chain, in PEM form",
  },
  clientKey: {
    flag: "--client-key <file>",
    variable: "KALAM_READY_CLIENT_KEY",
    key: "tls.client-key",
    kind: nonEmpty,
    about: "the key of the client certificate, in PEM form and not encrypted",
  },
  insecure: {
    flag: "--insecure",
    variable: "KALAM_READY_INSECURE",
    key: "tls.insecure",
    kind: boolean,
    fallback: false,
    about: "do not verify the server's certificate; the verdict is never plain READY",
  },
  header: {
    flag: "--header <name: value>",
    repeats: true,
    key: "headers",
    kind: headerLine,
    about: "a header for every request, such as 'X-Gate: ${env:GATE_KEY}'",
  },
  serverBin: {
    flag: "--server-bin <path>",
    variable: "KALAMDB_SERVER_BIN",
    kind: nonEmpty,
    about: "instead of --url: start this server, check it, stop it",
  },
  olderServerBin: {
    flag: "--older-server-bin <path>",
    variable: "KALAMDB_OLDER_SERVER_BIN",
    kind: nonEmpty,
    about: "an older release beside --server-bin, for the check that opens its data folder with the newer one",
  },
  serverConfig: { flag: "--server-config <path>", kind: nonEmpty, about: "the settings file for --server-bin" },
  postgres: {
    flag: "--postgres <host:port|none>",
    variable: "KALAM_READY_POSTGRES",
    key: "postgres",
    kind: postgresPlace,
    defaultText: "port 5432 of the server's host, if KalamDB answers there",
    about: "the PostgreSQL port of the server; none: do not look at it",
  },
  container: {
    flag: "--container <name>",
    key: "control.docker.container",
    kind: pattern("notAContainer", "the name of a container", /^[a-zA-Z0-9][\w.-]*$/),
    about: "the docker container of the server at --url, for checks that stop it and start it again",
  },
  budget: {
    flag: "--budget <duration>",
    variable: "KALAM_READY_BUDGET",
    key: "budget",
    kind: duration,
    fallback: 600_000,
    defaultText: "10m",
    about: "the time limit of the whole run; checks not reached by then are unknown",
  },
  timeout: {
    flag: "--timeout <duration>",
    variable: "KALAM_READY_TIMEOUT",
    key: "timeout",
    kind: duration,
    fallback: 60_000,
    defaultText: "60s",
    about: "the time limit of one check; four times that at effort deep",
  },
  maxRps: {
    flag: "--max-rps <n>",
    variable: "KALAM_READY_MAX_RPS",
    key: "max-rps",
    kind: number({ min: 1 }),
    defaultText: "half of the server's own limits",
    about: "the maximum rate of requests per second, over the whole run",
  },
  only: {
    flag: "--only <selector>",
    repeats: true,
    key: "only",
    defaultText: "all",
    about: "run only these checks: an id or name, a category, a test of the production plan, touches:load, or a glob",
  },
  skip: {
    flag: "--skip <selector>",
    repeats: true,
    key: "skip",
    about: "skip these checks; in a profile, with a reason",
  },
  require: {
    flag: "--require <selector>",
    repeats: true,
    key: "require",
    about: "these checks must pass; one that cannot run makes the verdict CANNOT TELL",
  },
  allow: {
    flag: "--allow <touches>",
    repeats: true,
    key: "allow",
    kind: oneOf(touchesOrder),
    defaultText: "scratch",
    about: "what the checks may touch: nothing, scratch, load, process, disk; separated by commas",
  },
  readOnly: { flag: "--read-only", about: "touch nothing; the same as --allow nothing" },
  effort: {
    flag: "--effort <size>",
    variable: "KALAM_READY_EFFORT",
    key: "effort",
    kind: oneOf(efforts),
    fallback: "standard",
    about: "the size of the samples: light, standard, deep",
  },
  parallel: {
    flag: "--parallel <n>",
    variable: "KALAM_READY_PARALLEL",
    key: "parallel",
    kind: number({ min: 1, max: 16, whole: true }),
    fallback: 4,
    about: "the number of checks that run concurrently",
  },
  kalamBin: {
    flag: "--kalam-bin <path>",
    variable: "KALAM_BIN",
    kind: nonEmpty,
    about: "the kalam command line, for the checks that need it",
  },
  failOn: {
    flag: "--fail-on <level>",
    variable: "KALAM_READY_FAIL_ON",
    key: "fail-on",
    kind: oneOf(levels),
    fallback: "block",
    about: "the level of finding that fails the run: block, or warn for both",
  },
  report: {
    flag: "--report <format[=path]>",
    repeats: true,
    key: "reports",
    kind: oneOf(formatNames),
    defaultText: "table",
    about: "write a report: table, json, junit; without a path, to stdout",
  },
  json: { flag: "--json", about: "short for --report json" },
  name: {
    key: "name",
    kind: anyText,
    defaultText: "the profile's file name",
    about: "the profile's name, shown in the report",
  },
  production: {
    key: "production",
    kind: boolean,
    fallback: false,
    about: "true: only what the profile's allow names may be touched, and --allow cannot widen it",
  },
  checks: { key: "checks", about: "levels and limits of single checks" },
  accept: { key: "accept", about: "known failures, each accepted until a date" },
  seed: {
    flag: "--seed <n>",
    kind: number({ min: 0, max: Number.MAX_SAFE_INTEGER, whole: true }),
    defaultText: "random",
    about: "repeat the same schedule, keys and values",
  },
  keep: { flag: "--keep", about: "keep the scratch namespaces and accounts, and print how to remove them" },
  state: {
    variable: "KALAM_READY_STATE",
    defaultText: "$XDG_STATE_HOME/kalam-ready, or ~/.local/state/kalam-ready",
    about: "the folder of the ledgers, by which cleanup finds what a run left",
  },
  quiet: { flag: "-q, --quiet", about: "nothing on stderr but errors" },
  verbose: { flag: "-v, --verbose", about: "more on stderr" },
  debug: { flag: "--debug", about: "every request on stderr, and the codes of errors" },
  color: {
    flag: "--color <when>",
    kind: oneOf(["auto", "always", "never"]),
    fallback: "auto",
    about: "colors: auto, always, never",
  },
  ascii: { flag: "--ascii", about: "only ASCII characters" },
  progress: { flag: "--no-progress", about: "no progress on stderr" },
} as const satisfies Readonly<Record<string, Setting>>;

export type SettingName = keyof typeof settings;

type FlagValue<S> = S extends { readonly repeats: true }
  ? readonly string[]
  : S extends { readonly flag: `${string}<${string}` }
    ? string
    : S extends { readonly flag: string }
      ? boolean
      : never;

/** What came from the command line, still as text. */
export type Flags = {
  readonly [
    Name in SettingName as (typeof settings)[Name] extends { readonly flag: string } ? Name : never
  ]?: FlagValue<(typeof settings)[Name]>;
};

/** Which server, who logs in, and how much of either a run may take. */
export const serverSettings = [
  "url",
  "profile",
  "user",
  "tokenFile",
  "passwordStdin",
  "caFile",
  "clientCert",
  "clientKey",
  "insecure",
  "header",
  "serverBin",
  "olderServerBin",
  "serverConfig",
  "postgres",
  "container",
  "budget",
  "timeout",
  "maxRps",
] as const satisfies readonly (keyof Flags)[];

/** Which checks, how far they may go, and what is reported. */
export const runSettings = [
  "only",
  "skip",
  "require",
  "allow",
  "readOnly",
  "effort",
  "parallel",
  "kalamBin",
  "failOn",
  "report",
  "json",
] as const satisfies readonly (keyof Flags)[];

/** What is said on stderr, and how. */
export const outputSettings = [
  "quiet",
  "verbose",
  "debug",
  "color",
  "ascii",
  "progress",
] as const satisfies readonly (keyof Flags)[];

/** `--effort` of `--effort <size>`, `--profile` of `-p, --profile <file>`. */
export function flagName(name: keyof Flags): string {
  return /--[\w-]+/.exec(settings[name].flag)?.[0] ?? "";
}

export function defaultOf({ fallback, defaultText }: Setting): string | undefined {
  return defaultText ?? (typeof fallback === "string" ? fallback : JSON.stringify(fallback));
}

/** What the help says: what it does, its variable and its default. */
export function helpText(setting: Setting): string {
  const fallback = defaultOf(setting);
  const more = [
    ...(setting.variable === undefined ? [] : [setting.variable]),
    ...(setting.repeats === true ? ["repeatable"] : []),
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
  ];
  return `${setting.about}${more.length === 0 ? "" : ` (${more.join("; ")})`}`;
}

/** As the JSON Schema describes it: a sentence. */
export function description(setting: Setting): string {
  return `${setting.about.charAt(0).toUpperCase()}${setting.about.slice(1)}.`;
}
