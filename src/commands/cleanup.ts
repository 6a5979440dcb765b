/** `kalam-ready cleanup`: finds and removes what a killed run left, from its ledger, or by the form of the names and their age. */
import { unlinkSync } from "node:fs";
import { loadCategories } from "../../checks/index.ts";
import { removeLeftServer } from "../control/process.ts";
import type { Ended, ExitName } from "../exit.ts";
import { effectiveProfile, type Flags } from "../profile/effective.ts";
import { UsageError } from "../profile/usage.ts";
import { readProfile } from "../profile/read.ts";
import { durationMs, durationWanted } from "../duration.ts";
import { ledgerFolder, readLedgers, type LedgerFile } from "../session/ledger.ts";
import { Recording } from "../session/recording.ts";
import { newRunId, prefixOf, runOf } from "../session/scratch.ts";
import type { Session } from "../session/session.ts";
import { listWithin, sweep, type Listed } from "../session/sweep.ts";
import { attach } from "./attach.ts";
import { profileName } from "./check.ts";
import { findCredentials, type CredentialFlags } from "./credentials.ts";
import { Output, type OutputFlags } from "./output.ts";
import { handleSignals } from "./signals.ts";

export interface CleanupFlags extends Flags, CredentialFlags, OutputFlags {
  readonly dryRun?: boolean;
  readonly run?: string;
  readonly olderThan?: string;
}

const listWithinMs = 10_000;
const removeWithinMs = 60_000;
/** Every name of every run begins like this. */
const anyRun = "kr_";

export async function cleanup(flags: CleanupFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  const output = new Output(flags, environment);
  if (flags.run !== undefined && runOf(prefixOf(flags.run)) === undefined) {
    throw new UsageError(`--run ${JSON.stringify(flags.run)} is no run's id; one looks like k7f3a`);
  }
  const olderThanMs = durationMs(flags.olderThan ?? "1h");
  if (olderThanMs === undefined)
    throw new UsageError(`--older-than: ${durationWanted}, not ${JSON.stringify(flags.olderThan)}`);
  const categories = await loadCategories();
  const source = readProfile(profileName(flags, environment), {
    categories,
    environment,
    onSecret: (value) => output.redactor.add(value),
  });
  const { profile } = effectiveProfile(source, flags, environment, categories);
  const local = readLedgers(ledgerFolder(environment)).filter(
    (ledger) => ledger.left.some((entry) => entry.kind === "folder") && !isAlive(ledger.pid),
  );
  for (const ledger of local) removeLocal(ledger, flags, output);
  if (profile.url === undefined) {
    if (local.length > 0) return "ready";
    throw new UsageError("no server was named: give --url, KALAM_READY_URL or server: in the profile");
  }
  const credentials = await findCredentials(profile.user, flags, source.document, environment, output);
  const signals = handleSignals({ first: () => output.complain("interrupted"), leaving: () => "kalam-ready: left" });
  const attached = await attach({
    profile,
    run: newRunId(),
    credentials,
    environment,
    output,
    recording: new Recording(),
    signal: signals.signal,
  });
  if ("ended" in attached) {
    signals.release();
    return complained(attached.ended, output);
  }
  try {
    const { session, url } = attached;
    const ledgers = readLedgers(ledgerFolder(environment)).filter((ledger) => ledger.url === url);
    return await remove(session, ledgers, { ...flags, olderThanMs }, output, signals.signal);
  } finally {
    signals.release();
    await attached.detach();
  }
}

/** A server that a killed run had started itself: nothing on it is worth a login. */
function removeLocal({ file, left }: LedgerFile, flags: CleanupFlags, output: Output): void {
  for (const { kind, name } of left) {
    if (kind !== "folder") continue;
    output.out(`${flags.dryRun === true ? "would remove" : "removing"} the server in ${name}\n`);
    if (flags.dryRun !== true) removeLeftServer(name);
  }
  if (flags.dryRun !== true) unlinkSync(file);
}

function complained(ended: Ended, output: Output): ExitName {
  output.complain(ended.sentence);
  return ended.exit;
}

async function remove(
  session: Session,
  ledgers: readonly LedgerFile[],
  options: { dryRun?: boolean; run?: string; olderThanMs: number },
  output: Output,
  signal: AbortSignal,
): Promise<ExitName> {
  const { sender, login } = session;
  // What a run that is over or dead has entered is ours for certain, whatever its age; a run that is alive keeps its things.
  const dead = ledgers.filter((ledger) =>
    options.run === undefined ? !isAlive(ledger.pid) : ledger.run === options.run,
  );
  const named = dead.flatMap((ledger) =>
    ledger.left.filter((entry) => entry.kind === "namespace").map((entry) => entry.name),
  );
  const deadRuns = new Set(dead.map((ledger) => ledger.run));
  const liveRuns = new Set(ledgers.filter((ledger) => isAlive(ledger.pid)).map((ledger) => ledger.run));
  const now = Date.now();
  const wanted = (listed: Listed): boolean => {
    if (named.includes(listed.name)) return true;
    const run = runOf(listed.name);
    if (run === undefined) return false;
    if (options.run !== undefined) return run === options.run;
    if (deadRuns.has(run)) return true;
    // A run on another machine may be under way: only its age tells.
    return !liveRuns.has(run) && listed.createdAt !== undefined && now - listed.createdAt > options.olderThanMs;
  };
  const listing = await listWithin(sender, login, { prefix: anyRun, named, withinMs: listWithinMs });
  if (listing.doubt !== undefined) {
    output.complain(`could not determine what is left: ${listing.doubt}`);
    return "cannotTell";
  }
  const all = listing.found;
  const found = all.filter(wanted);
  for (const { kind, name } of found)
    output.out(`${options.dryRun === true ? "would remove" : "removing"} ${kind} ${name}\n`);
  const young = all.filter((one) => runOf(one.name) !== undefined && !wanted(one)).length;
  if (young > 0) output.tell(`${young} more of runs that are under way or younger than --older-than are left alone`);
  if (options.dryRun === true || signal.aborted) {
    output.out(`${found.length} left by killed runs\n`);
    return "ready";
  }
  const swept = await sweep(sender, login, { prefix: anyRun, named, only: wanted, withinMs: removeWithinMs });
  if (swept.kind === "unclear") {
    output.complain(`could not determine what is left: ${swept.sentence}`);
    return "cannotTell";
  }
  if (swept.kind === "left") {
    for (const { kind, name, why } of swept.left) output.complain(`${kind} ${name} is still listed: ${why}`);
    return "notReady";
  }
  for (const { file } of dead) unlinkSync(file);
  output.out(`${found.length} removed, none of them is listed any more\n`);
  return "ready";
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
