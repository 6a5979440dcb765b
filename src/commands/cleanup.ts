/** `kalam-ready cleanup`: finds and removes what earlier runs left, by their ledgers, or by name and age. */
import { unlinkSync } from "node:fs";
import { removeLeftServer } from "../control/process.ts";
import type { Ended, ExitName } from "../exit.ts";
import type { Flags } from "../profile/settings.ts";
import { readValue, UsageError } from "../profile/usage.ts";
import { duration } from "../profile/values.ts";
import { ledgerFolder, readLedgers, type LedgerFile } from "../session/ledger.ts";
import { Recording } from "../session/recording.ts";
import { newRunId, prefixOf, runOf } from "../session/scratch.ts";
import type { Session } from "../session/session.ts";
import { listOurs, sweep, type Listed } from "../session/sweep.ts";
import { attach } from "./attach.ts";
import type { Output } from "./output.ts";
import { prepare } from "./preparation.ts";
import { handleSignals } from "./signals.ts";

export interface CleanupFlags extends Flags {
  readonly dryRun?: boolean;
  readonly run?: string;
  readonly olderThan?: string;
}

const removeWithinMs = 60_000;
/** Every name of every run begins like this. */
const anyRun = "kr_";

export async function cleanup(flags: CleanupFlags, environment: NodeJS.ProcessEnv): Promise<ExitName> {
  if (flags.run !== undefined && runOf(prefixOf(flags.run)) === undefined) {
    throw new UsageError(
      "invalidRunId",
      `--run: expected the id of a run, such as k7f3a, got ${JSON.stringify(flags.run)}`,
    );
  }
  const olderThanMs = readValue("--older-than", flags.olderThan ?? "1h", duration);
  const { output, profile, ...prepared } = await prepare(flags, environment);
  const local = readLedgers(ledgerFolder(environment)).filter(
    (ledger) => ledger.left.some((entry) => entry.kind === "folder") && !isAlive(ledger.pid),
  );
  for (const ledger of local) removeLocal(ledger, flags, output);
  if (profile.url === undefined) {
    if (local.length > 0) return "ready";
    throw new UsageError("noServer", "no server given: set --url, KALAM_READY_URL, or server: in the profile");
  }
  const credentials = await prepared.credentials();
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

/** A server that a killed run had started: it is removed as a whole, without a login. */
function removeLocal({ file, left }: LedgerFile, flags: CleanupFlags, output: Output): void {
  for (const { kind, name } of left) {
    if (kind !== "folder") continue;
    output.line(`${flags.dryRun === true ? "would remove" : "removing"} the server in ${name}`);
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
  // What is in the ledger of a run that has ended is ours, whatever its age; a run in progress keeps its objects.
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
    // A run on another machine may be in progress: only the age of its objects tells.
    return !liveRuns.has(run) && listed.createdAt !== undefined && now - listed.createdAt > options.olderThanMs;
  };
  const all = await listOurs(sender, login, anyRun, named);
  if (typeof all === "string") {
    output.complain(`cannot list what is left: ${all}`);
    return "cannotTell";
  }
  const found = all.filter(wanted);
  for (const { kind, name } of found)
    output.line(`${options.dryRun === true ? "would remove" : "removing"} ${kind} ${name}`);
  const young = all.filter((one) => runOf(one.name) !== undefined && !wanted(one)).length;
  if (young > 0)
    output.tell(`${young} more belong to runs in progress or are younger than --older-than; they are kept`);
  if (options.dryRun === true || signal.aborted) {
    output.line(`${found.length} left by earlier runs`);
    return "ready";
  }
  const swept = await sweep(sender, login, { prefix: anyRun, named, only: wanted, withinMs: removeWithinMs });
  if (swept.kind === "unclear") {
    output.complain(`cannot list what is left: ${swept.sentence}`);
    return "cannotTell";
  }
  if (swept.kind === "left") {
    for (const { kind, name, why } of swept.left) output.complain(`${kind} ${name} is still listed: ${why}`);
    return "notReady";
  }
  for (const { file } of dead) unlinkSync(file);
  output.line(`${found.length} removed; none of them is listed any more`);
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
