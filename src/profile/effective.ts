/** The profile that takes effect: flag over environment over file over default, each value with its origin. */
import { touchesOrder, efforts, levels, type Category, type Effort, type Level, type Touches } from "../check.ts";
import { formatNames, type FormatName } from "../formats/names.ts";
import { select, SelectorError } from "../selector.ts";
import type { ProfileDocument } from "./keys.ts";
import { ProfileError, type ProfileSource } from "./read.ts";
import { whichServer, type Noted } from "./server.ts";
import { notEmpty, oneOf, parseDuration, withFlagName, UsageError, whole } from "./usage.ts";

export interface Acceptance {
  readonly check: string;
  readonly finding: string;
  readonly case?: string;
  readonly reason: string;
  /** The last day, as YYYY-MM-DD. */
  readonly until: string;
}

export interface ReportWanted {
  readonly format: FormatName;
  /** Absent: stdout. */
  readonly path?: string;
}

export interface CheckSettings {
  readonly level?: Level;
  readonly limits?: Readonly<Record<string, number>>;
  readonly findings?: Readonly<Record<string, Level>>;
}

export interface Profile {
  readonly name: string;
  readonly url: string | undefined;
  readonly serverBin: string | undefined;
  readonly serverConfig: string | undefined;
  /** The `kalam` command line, as it was named. */
  readonly kalamBin: string | undefined;
  readonly production: boolean;
  readonly user: string | undefined;
  readonly allow: readonly Touches[];
  readonly effort: Effort;
  readonly budgetMs: number;
  readonly timeoutMs: number;
  readonly maxPerSecond: number | undefined;
  readonly parallel: number;
  readonly failOn: Level;
  /** Undefined: all. */
  readonly only: ReadonlySet<string> | undefined;
  /** Check id to reason. */
  readonly skip: ReadonlyMap<string, string>;
  readonly require: ReadonlySet<string>;
  readonly checks: Readonly<Record<string, CheckSettings>>;
  readonly accept: readonly Acceptance[];
  readonly reports: readonly ReportWanted[];
}

/** What came from the command line, still as text; see `cli.ts` for what each means. */
export interface Flags {
  readonly url?: string;
  readonly profile?: string;
  readonly user?: string;
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  readonly require?: readonly string[];
  readonly allow?: readonly string[];
  readonly readOnly?: boolean;
  readonly effort?: string;
  readonly budget?: string;
  readonly timeout?: string;
  readonly maxRps?: string;
  readonly parallel?: string;
  readonly failOn?: string;
  readonly report?: readonly string[];
  readonly json?: boolean;
  readonly serverBin?: string;
  readonly serverConfig?: string;
  readonly kalamBin?: string;
}

export interface Effective {
  readonly profile: Profile;
  /** By key of the profile: `flag --allow`, `environment KALAM_READY_URL`, `gate.yaml:4`, `default`. */
  readonly origins: Readonly<Record<string, string>>;
}

/** Throws UsageError and ProfileError. */
export function effectiveProfile(
  source: ProfileSource,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  categories: readonly Category[],
): Effective {
  const origins: Record<string, string> = {};
  const { document } = source;
  const line = (key: string): string =>
    `${source.from}${source.lines[key] === undefined ? "" : `:${source.lines[key]}`}`;

  /** The first source that has a value, with its origin noted. */
  function pick<T>(
    key: keyof ProfileDocument,
    names: { flag?: string; env?: string },
    flagged: string | undefined,
    parse: (text: string) => T,
    fallback: T,
  ): T {
    const fromFlag = flagged === undefined ? undefined : withFlagName(`--${names.flag}`, flagged, parse);
    if (fromFlag !== undefined) return noted(key, `flag --${names.flag}`, fromFlag);
    const variable = names.env === undefined ? undefined : environment[names.env];
    if (names.env !== undefined && variable !== undefined && variable !== "") {
      return noted(key, `environment ${names.env}`, withFlagName(names.env, variable, parse));
    }
    const written = document[key] as T | undefined;
    return written === undefined ? noted(key, "default", fallback) : noted(key, line(key), written);
  }
  function noted<T>(key: string, origin: string, value: T): T {
    origins[key] = origin;
    return value;
  }

  const server = whichServer(flags, environment, document.server, noted, line);
  const production = noted(
    "production",
    document.production === undefined ? "default" : line("production"),
    document.production ?? false,
  );
  const allow = whichAllowed(flags, document, production, noted, line);

  const profile: Profile = {
    name: noted("name", document.name === undefined ? "default" : line("name"), document.name ?? source.from),
    ...server,
    kalamBin: pickKalam(),
    production,
    user: pickUser(),
    allow,
    effort: pick(
      "effort",
      { flag: "effort", env: "KALAM_READY_EFFORT" },
      flags.effort,
      (text) => oneOf(text, efforts),
      "standard",
    ),
    budgetMs: pick("budget", { flag: "budget", env: "KALAM_READY_BUDGET" }, flags.budget, parseDuration, 600_000),
    timeoutMs: pick("timeout", { flag: "timeout", env: "KALAM_READY_TIMEOUT" }, flags.timeout, parseDuration, 60_000),
    maxPerSecond: pick<number | undefined>(
      "max-rps",
      { flag: "max-rps", env: "KALAM_READY_MAX_RPS" },
      flags.maxRps,
      (text) => whole(text, 1, 1_000_000),
      undefined,
    ),
    parallel: pick(
      "parallel",
      { flag: "parallel", env: "KALAM_READY_PARALLEL" },
      flags.parallel,
      (text) => whole(text, 1, 16),
      4,
    ),
    failOn: pick(
      "fail-on",
      { flag: "fail-on", env: "KALAM_READY_FAIL_ON" },
      flags.failOn,
      (text) => oneOf(text, levels),
      "block",
    ),
    only: pickOnly(),
    skip: pickSkip(),
    require: pickRequired(),
    checks: noted("checks", document.checks === undefined ? "default" : line("checks"), document.checks ?? {}),
    accept: noted(
      "accept",
      document.accept === undefined ? "default" : line("accept"),
      (document.accept ?? []) as readonly Acceptance[],
    ),
    reports: pickReports(),
  };
  return { profile, origins };

  function pickUser(): string | undefined {
    const fromFlag = flags.user;
    if (fromFlag !== undefined) return noted("login", "flag --user", notEmpty("--user", fromFlag));
    const variable = environment["KALAM_READY_USER"];
    if (variable !== undefined && variable !== "") return noted("login", "environment KALAM_READY_USER", variable);
    return noted("login", document.login === undefined ? "default" : line("login"), document.login?.user);
  }

  function pickKalam(): string | undefined {
    if (flags.kalamBin !== undefined)
      return noted("kalam", "flag --kalam-bin", notEmpty("--kalam-bin", flags.kalamBin));
    const variable = environment["KALAM_BIN"];
    if (variable === undefined || variable === "") return noted("kalam", "default", undefined);
    return noted("kalam", "environment KALAM_BIN", variable);
  }

  function pickOnly(): ReadonlySet<string> | undefined {
    if (flags.only !== undefined && flags.only.length > 0)
      return noted("only", "flag --only", withFlagName("--only", flags.only, chosen));
    if (document.only === undefined) return noted("only", "default", undefined);
    return noted("only", line("only"), inProfile("only", document.only));
  }

  function pickSkip(): ReadonlyMap<string, string> {
    const skip = new Map<string, string>();
    for (const [selector, reason] of Object.entries(document.skip ?? {})) {
      for (const id of inProfile("skip", [selector])) skip.set(id, reason);
    }
    for (const selector of flags.skip ?? [])
      for (const id of withFlagName("--skip", [selector], chosen)) skip.set(id, `--skip ${selector}`);
    const from = [
      ...(document.skip === undefined ? [] : [line("skip")]),
      ...((flags.skip ?? []).length > 0 ? ["flag --skip"] : []),
    ];
    return noted("skip", from.join(", ") || "default", skip);
  }

  function pickRequired(): ReadonlySet<string> {
    const written = inProfile("require", document.require ?? []);
    const flagged = withFlagName("--require", flags.require ?? [], chosen);
    const from = [
      ...(document.require === undefined ? [] : [line("require")]),
      ...(flagged.size > 0 ? ["flag --require"] : []),
    ];
    return noted("require", from.join(", ") || "default", new Set([...written, ...flagged]));
  }

  function pickReports(): readonly ReportWanted[] {
    const flagged = [
      ...(flags.report ?? []).map(parseReport),
      ...(flags.json === true ? [{ format: "json" as const }] : []),
    ];
    const reports = flagged.length > 0 ? flagged : ((document.reports ?? []) as readonly ReportWanted[]);
    if (reports.filter((report) => report.path === undefined).length > 1) {
      throw new UsageError("at most one report can go to stdout; give the others a path: --report junit=ready.xml");
    }
    const origin = flagged.length > 0 ? "flag --report" : document.reports === undefined ? "default" : line("reports");
    return noted("reports", origin, reports);
  }

  function chosen(selectors: readonly string[]): Set<string> {
    return select(selectors, categories);
  }
  function inProfile(key: string, selectors: readonly string[]): Set<string> {
    try {
      return chosen(selectors);
    } catch (error) {
      if (error instanceof SelectorError) throw new ProfileError(`${line(key)}: ${error.message}`);
      throw error;
    }
  }
}

function parseReport(text: string): ReportWanted {
  const at = text.indexOf("=");
  const format = withFlagName("--report", at === -1 ? text : text.slice(0, at), (word) => oneOf(word, formatNames));
  if (at === -1) return { format };
  return { format, path: notEmpty(`the path of --report ${format}=`, text.slice(at + 1)) };
}

/** `nothing` is always allowed: it disturbs nobody. */
function whichAllowed(
  flags: Flags,
  document: ProfileDocument,
  production: boolean,
  noted: Noted,
  line: (key: string) => string,
): readonly Touches[] {
  const written = document.allow ?? (production ? [] : ["scratch" as const]);
  const flagged = (flags.allow ?? [])
    .flatMap((word) => word.split(","))
    .map((word) => withFlagName("--allow", word.trim(), (one) => oneOf(one, touchesOrder)));
  if (flags.readOnly === true) {
    if (flagged.some((one) => one !== "nothing")) throw new UsageError("--read-only and --allow do not go together");
    return noted("allow", "flag --read-only", ["nothing"]);
  }
  if (flagged.length === 0)
    return noted("allow", document.allow === undefined ? "default" : line("allow"), withNothing(written));
  const wider = flagged.filter((one) => one !== "nothing" && !written.includes(one));
  if (production && wider.length > 0) {
    throw new UsageError(
      `--allow ${wider.join(",")}: the profile says production: true, and then only what it allows itself may be touched`,
    );
  }
  // Process and disk checks work in scratch namespaces, too, so a milder kind comes along; load does not bring process.
  const bringsScratch = flagged.some((one) => one !== "nothing") && (!production || written.includes("scratch"));
  const scratch = bringsScratch ? (["scratch"] as const) : [];
  return noted("allow", "flag --allow", withNothing([...scratch, ...flagged]));
}

function withNothing(touches: readonly Touches[]): readonly Touches[] {
  return touchesOrder.filter((one) => one === "nothing" || touches.includes(one));
}
