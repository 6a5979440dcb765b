/** `kalam-ready cleanup`: finds and removes what earlier runs left, by their ledgers, or by name and age. */
import { rmSync } from "node:fs";
import { removeLeftServer } from "../control/folder.ts";
import type { Ended, ExitName } from "../exit.ts";
import type { Flags } from "../profile/settings.ts";
import { readValue, UsageError } from "../profile/usage.ts";
import { duration } from "../profile/values.ts";
import { NotOwnError } from "../session/folders.ts";
import { ledgerFolder, readLedgers, strikeIn, type LedgerFile } from "../session/ledger.ts";
import { Recording } from "../session/recording.ts";
import { newRunId, prefixOf, runOf } from "../session/scratch.ts";
import type { Session } from "../session/session.ts";
import { listWithin, sweep, type Listed } from "../session/sweep.ts";
import { cleanupCommand } from "./again.ts";
import { attach } from "./attach.ts";
import { CannotWriteError } from "./files.ts";
import type { Output } from "./output.ts";
import { prepare } from "./preparation.ts";
import { interruptible } from "./signals.ts";

export interface CleanupFlags extends Flags {
  readonly dryRun?: boolean;
  readonly run?: string;
  readonly olderThan?: string;
}

/** The address in the ledger of a run that started its server itself. */
const ownServer = "";
const listWithinMs = 10_000;
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
  const dead = ledgersOf(environment).filter((ledger) => isDead(ledger, flags, profile.url));
  const ledgers = dead.map((ledger) => removeLocal(ledger, flags, output));
  if (profile.url === undefined) {
    if (dead.length === 0)
      throw new UsageError("noServer", "no server given: set --url, KALAM_READY_URL, or server: in the profile");
    const elsewhere = ledgers.filter((one) => one.url !== ownServer && namesIn(one) > 0);
    for (const one of elsewhere)
      output.complain(
        `run ${one.run} may have left ${namesIn(one)} names on ${one.url}: ${cleanupCommand(profile, one.url, one.run)}`,
      );
    return elsewhere.length === 0 ? "ready" : "cannotTell";
  }
  const way = prepared.way();
  const credentials = await prepared.credentials();
  const options = {
    first: () => output.complain("interrupted: finishing the removal that has begun; interrupt again to leave at once"),
    leaving: () => "left; kalam-ready cleanup removes the rest",
  };
  return await interruptible(options, async ({ signal }) => {
    const recording = new Recording();
    const attached = await attach({
      profile,
      run: newRunId(),
      way,
      credentials,
      environment,
      output,
      recording,
      signal,
    });
    if ("ended" in attached) return complained(attached.ended, output);
    try {
      const { session, url } = attached;
      const ledgersHere = ledgersOf(environment).filter((ledger) => ledger.url === url);
      return await remove(session, ledgersHere, { ...flags, olderThanMs }, output, signal);
    } finally {
      await attached.detach();
    }
  });
}

/** Throws CannotWriteError where somebody else may have written them. */
function ledgersOf(environment: NodeJS.ProcessEnv): LedgerFile[] {
  const folder = ledgerFolder(environment);
  try {
    return readLedgers(folder);
  } catch (error) {
    if (error instanceof NotOwnError) throw new CannotWriteError("stateFolderNotOwn", error.message, { folder });
    throw error;
  }
}

/** Whether the run is over and is meant: with --run only that one, with a server only those that used it or their own. */
function isDead(ledger: LedgerFile, { run }: CleanupFlags, url: string | undefined): boolean {
  if (run !== undefined && ledger.run !== run) return false;
  if (url !== undefined && ledger.url !== url && ledger.url !== ownServer) return false;
  return !isAlive(ledger.pid);
}

/**
 * What a run that is over has left on this machine: the server that it had started, and folders of `kalam`. Names on any
 * other server stay in the ledger until they are removed there.
 */
function removeLocal(ledger: LedgerFile, flags: CleanupFlags, output: Output): LedgerFile {
  const own = ledger.url === ownServer;
  let rest = ledger;
  for (const entry of ledger.left) {
    if (entry.kind !== "folder") continue;
    const what = own ? "the server in" : "the folder";
    output.line(`${flags.dryRun === true ? "would remove" : "removing"} ${what} ${entry.name}`);
    if (flags.dryRun === true) continue;
    removeLeftServer(entry.name);
    rest = strikeIn(rest, entry);
  }
  // With a server of the run's own, everything on it is gone.
  if (own && flags.dryRun !== true) rmSync(ledger.file, { force: true });
  return rest;
}

function namesIn({ left }: LedgerFile): number {
  return left.filter(({ kind }) => kind !== "folder").length;
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
  const listing = await listWithin(sender, login, { prefix: anyRun, named, topics: true, withinMs: listWithinMs });
  if (listing.doubt !== undefined) {
    output.complain(`could not determine what is left: ${listing.doubt}`);
    return "cannotTell";
  }
  const all = listing.found;
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
  const swept = await sweep(sender, login, {
    prefix: anyRun,
    named,
    topics: true,
    only: wanted,
    withinMs: removeWithinMs,
  });
  if (swept.kind === "unclear") {
    output.complain(`could not determine what is left: ${swept.sentence}`);
    return "cannotTell";
  }
  if (swept.kind === "left") {
    for (const { kind, name, why } of swept.left) output.complain(`${kind} ${name} is still listed: ${why}`);
    return "notReady";
  }
  for (const { file } of dead) rmSync(file, { force: true });
  output.line(`${found.length} removed, none of them is listed any more`);
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
