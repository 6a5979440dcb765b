/** `kalam-ready check`: profile -> plan -> session -> run -> report. */
import { loadCategories } from "../../checks/index.ts";
import type { Category } from "../check.ts";
import type { Ended, ExitName } from "../exit.ts";
import type { FormatName } from "../formats/names.ts";
import { packageVersion } from "../package.ts";
import { ContradictionError, makePlan, type Means } from "../plan.ts";
import { effectiveProfile, type Flags, type Profile } from "../profile/effective.ts";
import { UsageError, whole } from "../profile/usage.ts";
import { readProfile } from "../profile/read.ts";
import { makeReport, type CleanUp, type Report } from "../report.ts";
import { run, type Outcome } from "../run.ts";
import { Recording, type Exchange } from "../session/recording.ts";
import { newRunId } from "../session/scratch.ts";
import type { Wire } from "../wire/wire.ts";
import { attach, type Attached, type AttachParts } from "./attach.ts";
import { findCredentials, type CredentialFlags } from "./credentials.ts";
import { mustBeRunnable, mustBeWritable, writeWhole } from "./files.ts";
import { Output, type OutputFlags } from "./output.ts";
import { handleSignals } from "./signals.ts";

export interface CheckFlags extends Flags, CredentialFlags, OutputFlags {
  readonly seed?: string;
  readonly keep?: boolean;
}

/** The name of the exit. Throws UsageError, ProfileError, CannotWriteError and nothing else for what a user can do wrong. */
export async function check(flags: CheckFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  const output = new Output(flags, environment);
  const categories = await loadCategories();
  const source = readProfile(profileName(flags, environment), {
    categories,
    environment,
    onSecret: (value) => output.redactor.add(value),
  });
  const { profile } = effectiveProfile(source, flags, environment, categories);
  if (profile.url === undefined && profile.serverBin === undefined) {
    throw new UsageError(
      "no server was named: give --url, KALAM_READY_URL, server: in the profile, or --server-bin to start one",
    );
  }
  const credentials =
    profile.serverBin === undefined
      ? await findCredentials(profile.user, flags, source.document, environment, output)
      : undefined;
  mustBeRunnable(profile);
  for (const { path } of profile.reports) if (path !== undefined) mustBeWritable(path);
  const settings = {
    seed: flags.seed === undefined ? Math.floor(Math.random() * 1_000_000) : seedOf(flags.seed),
    keep: flags.keep ?? false,
    again: againWords(flags, profile),
  };
  return await checkServer({ profile, categories, credentials, environment, output, ...settings });
}

export interface CheckServerParts {
  readonly profile: Profile;
  readonly categories: readonly Category[];
  readonly credentials: AttachParts["credentials"];
  readonly server?: AttachParts["server"];
  readonly environment: NodeJS.ProcessEnv;
  readonly output: Output;
  readonly seed: number;
  readonly keep: boolean;
  readonly again: readonly string[];
  /** Puts a fault between the checks and the server: `demo` shows what red looks like. */
  readonly breakWire?: (wire: Wire) => Wire;
}

/** Plans, checks one server and writes the reports. */
export async function checkServer(parts: CheckServerParts): Promise<ExitName> {
  const { profile, output, categories } = parts;
  const own = profile.serverBin !== undefined || parts.server !== undefined;
  const means = { ownServer: own, kalam: profile.kalamBin !== undefined };
  // Before the login: a profile that contradicts itself is reported before anything is sent.
  let plan = planned(profile, categories, means);
  const id = newRunId();
  const startedAt = new Date();
  const beganAt = performance.now();
  const recording = new Recording((exchange) => output.trace(traceLine(exchange)));
  const signals = handleSignals({
    first: () => output.complain("interrupted: cleaning up what this run made; once more leaves at once"),
    leaving: () => leaving(id, profile.url ?? null),
  });
  let attached: Awaited<ReturnType<typeof attach>> | undefined;
  try {
    attached = await attach({ ...parts, run: id, recording, signal: signals.signal });
    let outcomes: readonly Outcome[];
    let cleanUp: CleanUp = { kind: "none" };
    let ended: Ended | undefined;
    if ("ended" in attached) {
      ended = signals.ended() ?? attached.ended;
      const { sentence } = ended;
      outcomes = plan.steps.map((step) => ({ step, verdict: { kind: "unknown", sentence }, tookMs: 0 }));
      output.complain(sentence);
    } else {
      const { session, wire } = attached;
      plan = planned(profile, categories, { ...means, login: session.login });
      const running = new Set<string>();
      const progress = (): void => output.progress([...running].join(", "));
      outcomes = await run(plan.steps, session, {
        ...profile,
        seed: parts.seed,
        keep: parts.keep,
        signal: signals.signal,
        wire: parts.breakWire?.(wire) ?? wire,
        onStart({ id: started }) {
          running.add(started);
          progress();
        },
        onDone({ step, verdict, tookMs }) {
          running.delete(step.check.id);
          const said = verdict.kind === "fail" ? verdict.found.map((found) => found.name).join(", ") : verdict.sentence;
          if (verdict.kind !== "skip")
            output.finished(`${verdict.kind.padEnd(7)} ${step.check.id}  ${said}  ${Math.round(tookMs)} ms`);
          progress();
        },
      });
      cleanUp = await attached.cleanUp({ keep: parts.keep });
      ended = signals.ended();
    }
    const { report, exit } = makeReport({
      tool: { name: "kalam-ready", version: packageVersion },
      run: {
        id,
        seed: parts.seed,
        startedAt: startedAt.toISOString(),
        tookMs: Math.round(performance.now() - beganAt),
        effort: profile.effort,
        requests: recording.count,
        rateRefusals: "session" in attached ? attached.session.rate.refusals : 0,
        again: parts.again,
      },
      server: serverOf(attached, own),
      profile,
      plan,
      outcomes,
      cleanUp,
      exchange: (number) => recording.get(number),
      today: startedAt.toISOString().slice(0, 10),
      ...(ended === undefined ? {} : { ended }),
    });
    const masked = output.redactor.redactAll(report);
    await tellDetails(masked, output);
    await writeReports(masked, profile, categories, output);
    return exit;
  } finally {
    output.done();
    signals.release();
    if (attached !== undefined && "detach" in attached) await attached.detach();
  }
}

export function planned(profile: Profile, categories: readonly Category[], means: Means): ReturnType<typeof makePlan> {
  try {
    return makePlan(profile, categories, means);
  } catch (error) {
    if (error instanceof ContradictionError) throw new UsageError(error.message);
    throw error;
  }
}

export function profileName(flags: { readonly profile?: string }, environment: NodeJS.ProcessEnv): string | undefined {
  if (flags.profile !== undefined) {
    if (flags.profile.trim() === "") throw new UsageError("--profile is empty");
    return flags.profile;
  }
  const variable = environment["KALAM_READY_PROFILE"];
  return variable === "" ? undefined : variable;
}

function seedOf(text: string): number {
  try {
    return whole(text, 0, Number.MAX_SAFE_INTEGER);
  } catch (error) {
    throw new UsageError(`--seed: ${(error as Error).message}`);
  }
}

/** The arguments that lead to the same server with the same rights; the selection of checks is left out. */
function againWords(flags: CheckFlags, profile: Profile): string[] {
  const words: string[] = [];
  if (flags.profile !== undefined) words.push("--profile", flags.profile);
  if (profile.serverBin !== undefined) words.push("--server-bin", profile.serverBin);
  else if (flags.url !== undefined && profile.url !== undefined) words.push("--url", profile.url);
  if (flags.serverConfig !== undefined) words.push("--server-config", flags.serverConfig);
  if (profile.kalamBin !== undefined) words.push("--kalam-bin", profile.kalamBin);
  if (flags.user !== undefined) words.push("--user", flags.user);
  for (const allowed of flags.allow ?? []) words.push("--allow", allowed);
  if (flags.readOnly === true) words.push("--read-only");
  if (flags.effort !== undefined) words.push("--effort", flags.effort);
  return words;
}

function serverOf(
  attached: Attached | { readonly ended: Ended; readonly url: string | null },
  own: boolean,
): Report["server"] {
  if (!("session" in attached)) return { url: attached.url, version: null, own, login: null };
  const { login, capabilities } = attached.session;
  return {
    url: attached.url,
    version: capabilities.version ?? null,
    own,
    login: { user: login.name, role: login.role },
  };
}

function leaving(id: string, url: string | null): string {
  const where = url === null ? "" : ` --url ${url}`;
  return `kalam-ready: left without cleaning up; kalam-ready cleanup${where} --run ${id} removes what this run made`;
}

function traceLine({ number, at, as, method, path, text, params, outcome, tookMs }: Exchange): string {
  const what = [text, params].filter((part) => part !== undefined).join("  ");
  return `#${number} ${at} ms  ${method} ${path}${as === undefined ? "" : ` as ${as}`}  ${what}  -> ${outcome}  (${tookMs} ms)`;
}

/** With -v: how each finding was shown, as a request that can be sent again by hand. */
async function tellDetails(report: Report, output: Output): Promise<void> {
  const { curlText } = await import("../formats/shell.ts");
  for (const result of report.results) {
    for (const exchange of result.findings.flatMap((finding) => finding.sent).slice(0, 5)) {
      const curl = report.server.url === null ? undefined : curlText(report.server.url, exchange);
      if (curl !== undefined) output.detail(`${result.check}: ${curl}`);
    }
  }
}

/** Throws CannotWriteError, after everything else was written. */
async function writeReports(
  report: Report,
  profile: Profile,
  categories: readonly Category[],
  output: Output,
): Promise<void> {
  const wanted = profile.reports.some((one) => one.path === undefined)
    ? profile.reports
    : [...profile.reports, { format: "table" as const }];
  const failures: unknown[] = [];
  for (const { format, path } of wanted) {
    const text = await formatted(format, report, categories, output, path !== undefined);
    try {
      if (path === undefined) output.out(text);
      else writeWhole(path, output.redactor.redact(text));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function formatted(
  format: FormatName,
  report: Report,
  categories: readonly Category[],
  output: Output,
  toFile: boolean,
): Promise<string> {
  switch (format) {
    case "json":
      return (await import("../formats/json.ts")).formatJson(report);
    case "junit":
      return (await import("../formats/junit.ts")).formatJunit(report);
    case "table": {
      const { formatTable } = await import("../formats/table.ts");
      const { colors, ascii, width } = output;
      return formatTable(report, {
        colors: toFile ? 0 : colors,
        ascii,
        categories,
        ...(toFile || width === undefined ? {} : { width }),
      });
    }
  }
}
