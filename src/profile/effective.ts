/** The profile that takes effect, after flags, environment and defaults, and where each value came from. */
import { touchesOrder, type Category, type Effort, type Level, type Touches } from "../check.ts";
import type { FormatName } from "../formats/names.ts";
import { select, selectorKind } from "../selector.ts";
import type { ProfileSource } from "./read.ts";
import { chooseControl, type ControlChoice } from "./control.ts";
import { chooseServer } from "./server.ts";
import { settings, type Flags } from "./settings.ts";
import { Sources } from "./sources.ts";
import { readValue, UsageError } from "./usage.ts";
import { nonEmpty } from "./values.ts";
import { chooseWay, type WaySettings } from "./way.ts";
import type { PostgresPlace } from "../wire/postgres/postgres.ts";

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
  /** An older release, as it was given; only beside `serverBin`. */
  readonly olderServerBin: string | undefined;
  readonly serverConfig: string | undefined;
  /** To a server that is running already. */
  readonly way: WaySettings;
  /** How a server that is running already may be stopped and started. */
  readonly control: ControlChoice | undefined;
  /** The `kalam` command line, as it was given. */
  readonly kalamBin: string | undefined;
  /** Where the PostgreSQL port is; `none`: it is not to be looked at. Undefined: where it usually is. */
  readonly postgres: PostgresPlace | "none" | undefined;
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
  const from = new Sources(source, flags, environment);
  const production = from.written("production", settings.production.fallback);
  const server = chooseServer(from);
  const profile: Profile = {
    name: from.written("name", source.from),
    ...server,
    way: chooseWay(from, server.url),
    control: chooseControl(from, server),
    kalamBin: from.pick("kalamBin"),
    postgres: from.pick("postgres"),
    production,
    user: from.pick("user"),
    allow: chooseAllowed(from, production),
    effort: from.pick("effort"),
    budgetMs: from.pick("budget"),
    timeoutMs: from.pick("timeout"),
    maxPerSecond: from.pick("maxRps"),
    parallel: from.pick("parallel"),
    failOn: from.pick("failOn"),
    only: chooseOnly(from, categories),
    skip: chooseSkipped(from, categories),
    require: chooseRequired(from, categories),
    checks: from.written("checks", {}),
    accept: from.written("accept", []) as readonly Acceptance[],
    reports: chooseReports(from),
  };
  return { profile, origins: from.origins };
}

/** What may be touched without --allow. */
export function allowedByProfile(document: ProfileSource["document"], production: boolean): readonly Touches[] {
  return document.allow ?? (production ? [] : ["scratch"]);
}

/** `nothing` is always allowed: it changes nothing. */
function chooseAllowed(from: Sources, production: boolean): readonly Touches[] {
  const { flags, document } = from;
  const written = allowedByProfile(document, production);
  const flagged = (flags.allow ?? [])
    .flatMap((word) => word.split(","))
    .map((word) => readValue("--allow", word.trim(), settings.allow.kind));
  if (flags.readOnly === true) {
    if (flagged.some((one) => one !== "nothing"))
      throw new UsageError("readOnlyAndAllow", "--read-only and --allow cannot be combined");
    return from.note("allow", "flag --read-only", ["nothing"]);
  }
  if (flagged.length === 0)
    return from.note("allow", document.allow === undefined ? "default" : from.line("allow"), withNothing(written));
  const wider = flagged.filter((one) => one !== "nothing" && !written.includes(one));
  if (production && wider.length > 0) {
    throw new UsageError(
      "productionNotAllowed",
      `--allow ${wider.join(",")}: the profile sets production: true, so only what its own allow lists may be touched`,
      { touches: wider.join(",") },
    );
  }
  // Process and disk checks also need scratch namespaces, so scratch is included; load does not include process.
  const includesScratch = flagged.some((one) => one !== "nothing") && (!production || written.includes("scratch"));
  const scratch = includesScratch ? (["scratch"] as const) : [];
  return from.note("allow", "flag --allow", withNothing([...scratch, ...flagged]));
}

function withNothing(touches: readonly Touches[]): readonly Touches[] {
  return touchesOrder.filter((one) => one === "nothing" || touches.includes(one));
}

function chooseOnly(from: Sources, categories: readonly Category[]): ReadonlySet<string> | undefined {
  const flagged = flagSelectors(from, "only", categories);
  if (flagged.length > 0) return from.note("only", "flag --only", select(flagged, categories));
  const written = from.written("only", undefined);
  return written === undefined ? undefined : select(written, categories);
}

function chooseSkipped(from: Sources, categories: readonly Category[]): ReadonlyMap<string, string> {
  const written = Object.entries(from.document.skip ?? {});
  const flagged = flagSelectors(from, "skip", categories).map((one) => [one, `--skip ${one}`] as const);
  const skip = [...written, ...flagged].flatMap(([selector, why]) =>
    [...select([selector], categories)].map((id) => [id, why] as const),
  );
  return from.note("skip", bothOrigins(from, "skip"), new Map(skip));
}

function chooseRequired(from: Sources, categories: readonly Category[]): ReadonlySet<string> {
  const selectors = [...(from.document.require ?? []), ...flagSelectors(from, "require", categories)];
  return from.note("require", bothOrigins(from, "require"), select(selectors, categories));
}

/** The selectors of a flag. Throws UsageError, which names the flag. */
function flagSelectors(
  { flags }: Sources,
  name: "only" | "skip" | "require",
  categories: readonly Category[],
): readonly string[] {
  const kind = selectorKind(categories);
  return (flags[name] ?? []).map((word) => readValue(`--${name}`, word, kind));
}

/** Of a setting to which the flag adds. */
function bothOrigins(from: Sources, name: "skip" | "require"): string {
  const origins = [
    ...(from.document[name] === undefined ? [] : [from.line(name)]),
    ...((from.flags[name] ?? []).length > 0 ? [`flag --${name}`] : []),
  ];
  return origins.join(", ") || "default";
}

function chooseReports(from: Sources): readonly ReportWanted[] {
  const { flags } = from;
  const flagged = [
    ...(flags.report ?? []).map(parseReport),
    ...(flags.json === true ? [{ format: "json" as const }] : []),
  ];
  const written = from.written("reports", []) as readonly ReportWanted[];
  const reports = flagged.length > 0 ? from.note("reports", "flag --report", flagged) : written;
  if (reports.filter((report) => report.path === undefined).length > 1) {
    throw new UsageError(
      "severalReportsOnStdout",
      "only one report can go to stdout; give the others a path, such as --report junit=ready.xml",
    );
  }
  return reports;
}

function parseReport(text: string): ReportWanted {
  const at = text.indexOf("=");
  const format = readValue("--report", at === -1 ? text : text.slice(0, at), settings.report.kind);
  if (at === -1) return { format };
  return { format, path: readValue(`--report ${format}=`, text.slice(at + 1), nonEmpty) };
}
