import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import type { OtherServer } from "../../../src/server/target.ts";
import { traceFile, type Disk } from "../../../src/wire/control.ts";
import { othersOf, whyNoOther, type Start } from "../others.ts";
import { readWhole } from "../reading.ts";
import { stepsIn, type Step } from "./calls.ts";
import { lossesAt, shownOf, type Lost, type Losses, type Shown } from "./losses.ts";
import { Replay, type Counts } from "./replay.ts";
import { columns, kept, made, writeBefore, writeTraced, type Cut, type Statement, type Written } from "./workload.ts";

type Round = {
  readonly cut: Cut;
  /** Bytes that were written and not on disk, so that they are gone. */
  readonly unsynced: number;
  /** Why the server did not start, and its last words; null if it did. */
  readonly notStarted: { readonly why: string; readonly ended: boolean; readonly words: string } | null;
  readonly shown: readonly Shown[];
};
type Seen = {
  readonly before: readonly Statement[];
  readonly written: Written;
  readonly trace: Counts & {
    /** Why the trace is not to be relied on; null if it is. */
    readonly problem: string | null;
    /** Files that are not after the kill as the trace has them. */
    readonly otherwise: readonly string[];
    /** How much this machine's clock was set while it was written. */
    readonly clockMovedMs: number;
  };
  /** After the kill, with all that was written. */
  readonly control: Round;
  readonly rounds: readonly Round[];
};

const traceWithinMs = 10_000;
/** After a start rows may still be on their way into view. */
const thereWithinMs = 5_000;
/** A trace has microseconds, an acknowledgement whole milliseconds. */
const roundedMs = 1;
const clockMovedMaxMs = 2;

export const ackedRowsSurvivePowerLoss = defineCheck({
  id: "durability/acked-rows-survive-power-loss",
  title: "Acknowledged rows survive a power loss",
  failureTitle: "Acknowledged rows are lost when the power fails",
  description:
    "Starts another server on an empty folder of kalam-ready's, writes rows, flushes some, and stops it: what is there then counts as on disk. It starts it again under strace, which records each write and each sync, and makes a table, inserts, updates and deletes rows, flushes, and goes on writing; then it kills it. From the record it makes the folder that a power loss right after an acknowledgement would have left: all names, but of each file only what was synced by then. It does so for three moments: after an insert, after a flush was reported completed, and after the last change. Each time a server must start on that folder and show every change that was acknowledged until then. It says nothing unless the record with everything in it gives, byte for byte, the folder that the kill left; rows that a server shows otherwise of that folder are no loss of a cut.",
  blindTo:
    "A disk that loses what it reported as synced; pages that are written in half; changes of other orders than the one that is tried, such as names that a file system takes back. Linux only. With the settings that kalam-ready gives a server that it starts, this is the server's own default for syncing; name the settings file of production with --server-config.",
  risk: "The power fails or the machine crashes, and rows, orders, messages that users were told were saved are gone.",
  remedy:
    "Set sync_writes = true in the section [storage.rocksdb] of the server's settings and run this check with them (--server-config), or accept the loss in the profile with a reason.",
  covers: [],
  touches: "disk",
  needs: ["own-server", "dba", "trace"],
  alone: true,
  level: "block",
  from: { effort: "standard", needs: "seven starts of servers" },
  estimateMs: 15_000,
  estimateRequests: 120,
  timeoutMs: 600_000,
  findings: {
    lostRows: {
      say: (d: LostAt) =>
        `power cut right after ${d.cut}: ${d.rows} of ${d.of} acknowledged rows are gone, the oldest acknowledged ${d.oldestMs} ms before (${d.first})`,
    },
    lostFlushedRows: {
      say: (d: LostAt) =>
        `power cut right after ${d.cut}: ${d.rows} of ${d.of} rows are gone that a completed flush had written to segments (${d.first})`,
      risk: "A flush is reported completed, and the rows that it took from the log are in files that a power loss leaves empty.",
      remedy:
        "Do not count on flushed rows after a power loss: keep a backup, and report this to the makers of the server.",
    },
    changesUndone: {
      say: (d: LostAt) =>
        `power cut right after ${d.cut}: ${d.rows} of ${d.of} acknowledged updates and deletes are undone, the oldest acknowledged ${d.oldestMs} ms before (${d.first})`,
      risk: "After a power loss deleted rows are back, and updated ones have their old values.",
    },
    tableGone: {
      say: (d: { cut: string; table: string; why: string }) =>
        `power cut right after ${d.cut}: the table ${d.table} is gone: ${d.why}`,
      risk: "A table whose creation was acknowledged is missing after a power loss, with all its rows.",
    },
    unreadable: {
      say: (d: { cut: string; table: string; why: string }) =>
        `power cut right after ${d.cut}: the table ${d.table} cannot be read: ${d.why}`,
      risk: "After a power loss the server starts, and queries of a table fail.",
      remedy: "Keep a backup: a table with files that the power loss left empty has to be restored.",
    },
    wrongRows: {
      say: (d: { cut: string; rows: number; first: string }) =>
        `power cut right after ${d.cut}: ${d.rows} rows are as nobody wrote them: ${d.first}`,
      risk: "After a power loss rows show what nobody wrote.",
    },
    notStarted: {
      say: (d: { cut: string; why: string }) =>
        `power cut right after ${d.cut}: no server starts on what is left: ${d.why}`,
      risk: "After a power loss the server does not start, and somebody has to repair its files.",
      remedy: "Keep a backup, and report the server's last words to its makers.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const others = othersOf(target, context);
    const { disk } = others;
    const folder = disk.newFolder();
    const first = await start(others, context, { dataFolder: folder });
    const before = await writeBefore(first, context);
    await first.stop();
    const copy = disk.copyOf(folder);
    const traceTo = disk.newFolder();
    const clock = clockOffset();
    const second = await start(others, context, { dataFolder: folder, traceTo });
    const written = await writeTraced(second, context);
    await second.kill();
    const clockMovedMs = Math.abs(clockOffset() - clock);
    const trace = await context.poll(async () => await Promise.resolve(readTrace(disk, traceTo)), hasEnded, {
      withinMs: traceWithinMs,
      everyMs: 100,
    });
    const replay = new Replay(folder, { files: disk.files(copy), read: (file) => disk.read(copy, file) });
    const expected = [...before, ...written.statements];
    const look = async (cut: Cut): Promise<Round> => {
      const { unsynced } = replay;
      const started = await others.another({ dataFolder: folder, durable: true });
      if (started.kind === "notReady") {
        const { why, ended, lastWords: words } = started;
        return { cut, unsynced, notStarted: { why, ended, words }, shown: [] };
      }
      const shown = await lookAt(started, context, (rows) =>
        isWhole(lossesAt({ ...written, statements: expected }, cut, rows)),
      );
      await started.kill();
      return { cut, unsynced, notStarted: null, shown };
    };
    const killed = disk.copyOf(folder);
    const last = written.cuts.at(-1)?.at ?? 0;
    const control = await look({ after: "a kill", at: last });
    const goOn = goThrough(stepsIn(trace), replay);
    const rounds: Round[] = [];
    for (const cut of written.cuts) {
      goOn(cut.at + roundedMs);
      if (replay.problem !== undefined) break;
      disk.restore(folder, copy);
      const { removed, folders, written: files } = replay.onDisk.differences();
      for (const name of removed) disk.remove(folder, name);
      for (const name of folders) disk.makeFolder(folder, name);
      for (const [name, bytes] of files) disk.write(folder, name, bytes);
      rounds.push(await look(cut));
    }
    goOn(Infinity);
    const otherwise = replay.problem === undefined ? differencesFrom(replay, disk, killed) : [];
    for (const one of [folder, copy, traceTo, killed]) disk.remove(one);
    const problem = hasEnded(trace) ? (replay.problem ?? null) : "strace did not record until the kill";
    const counts = { ...replay.counts, problem, otherwise, clockMovedMs };
    return { before, written, trace: counts, control, rounds };
  },
  judge({ before, written, trace, control, rounds }, { found }) {
    const expected = { ...written, statements: [...before, ...written.statements] };
    const why = whyNothing(trace, control) ?? rounds.map(whyUnseen).find((one) => one !== undefined);
    if (why !== undefined) return unknown(why);
    if (rounds.length < written.cuts.length) return unknown("the power was not cut at all moments");
    const { wrong } = lossesAt(expected, control.cut, control.shown);
    for (const { cut, notStarted, shown } of rounds) {
      const at = { cut: cut.after };
      const shownBy = { case: cut.after, sent: shown.map(({ exchange }) => exchange) };
      if (notStarted !== null) found.notStarted({ ...at, why: wordsOf(notStarted) }, { case: cut.after });
      for (const { table, rows, why: unread, cause } of shown) {
        if (rows !== null) continue;
        const data = { ...at, table, why: unread ?? "" };
        if (cause === "missing") found.tableGone(data, shownBy);
        else found.unreadable(data, shownBy);
      }
      const { flushed, others, undone, strange } = lossesAt(expected, cut, shown, wrong);
      if (others !== null) found.lostRows({ ...at, ...others }, shownBy);
      if (flushed !== null) found.lostFlushedRows({ ...at, ...flushed }, shownBy);
      if (undone !== null) found.changesUndone({ ...at, ...undone }, shownBy);
      const [one] = strange;
      if (one !== undefined) found.wrongRows({ ...at, rows: strange.length, first: one }, shownBy);
    }
    const [alone] = wrong;
    if (alone !== undefined)
      return unknown(
        `after a kill alone, without any power loss, ${wrong.size} rows are not as acknowledged: ${alone}`,
      );
    if (trace.syncs === 0) return unknown("no sync was recorded, and yet nothing is lost: the record shows nothing");
    const cuts = rounds.map(({ cut }) => cut.after).join(", ");
    const lost = rounds.at(-1)?.unsynced ?? 0;
    return pass(
      `${rounds.length} power cuts (right after ${cuts}): all ${written.statements.length} acknowledged statements took effect for good; ${trace.writes} writes and ${trace.syncs} syncs were recorded, and ${Math.ceil(lost / 1024)} KiB were not on disk at the last cut`,
    );
  },
});

type LostAt = Lost & { readonly cut: string };

async function start(
  { another }: Start,
  context: Pick<Context, "need">,
  wanted: Parameters<Start["another"]>[0],
): Promise<OtherServer> {
  const server = await another({ ...wanted, durable: true });
  if (server.kind === "running") return server;
  return context.need({ why: `no other server: ${whyNoOther(server)}`, whole: true }, "");
}

async function lookAt(
  server: OtherServer,
  context: Pick<Context, "poll">,
  isThere: (shown: readonly Shown[]) => boolean,
): Promise<readonly Shown[]> {
  const read = async (): Promise<readonly Shown[]> => {
    const shown: Shown[] = [];
    for (const table of [kept, made]) {
      const reading = await readWhole(server, server.root, table, columns);
      shown.push(shownOf(table, reading, reading.rows !== null || (await isRefused(server, table))));
    }
    return shown;
  };
  return await context.poll(read, isThere, { withinMs: thereWithinMs, everyMs: 500 });
}

/** Whether the server says of a query that it failed, in whatever words. */
async function isRefused(server: OtherServer, table: string): Promise<boolean> {
  const answer = await server.sql(server.root, `SELECT id FROM ${table} ORDER BY id LIMIT 1`);
  return answer.kind === "refused" || (answer.kind === "unsure" && answer.because === "unrecognised");
}

function isWhole({ wrong }: Losses): boolean {
  return wrong.size === 0;
}

/** How far this machine's clock is from one that nobody sets. */
function clockOffset(): number {
  return Date.now() - performance.now();
}

function readTrace(disk: Disk, folder: string): string {
  return disk.files(folder).includes(traceFile) ? Buffer.from(disk.read(folder, traceFile)).toString("latin1") : "";
}

/** Its first process is the last to end. */
function hasEnded(trace: string): boolean {
  const first = /^\d+/.exec(trace)?.[0];
  return (
    first !== undefined && new RegExp(`^${first} +\\S+ \\+\\+\\+ killed by SIGKILL`, "m").test(trace.slice(-10_000))
  );
}

/** Lets calls take effect up to a moment, and goes on from there. */
function goThrough(steps: Iterator<Step>, replay: Replay): (until: number) => void {
  let next = steps.next();
  return (until) => {
    for (; next.done !== true && next.value.call.at <= until; next = steps.next()) replay.take(next.value);
  };
}

const shownFiles = 5;

function differencesFrom(replay: Replay, disk: Disk, folder: string): string[] {
  const { onDisk } = replay;
  const there = disk.files(folder);
  const names = [...new Set([...there, ...onDisk.names])].toSorted();
  const isOtherwise = (name: string): boolean => {
    const now = onDisk.now(name);
    return now === undefined || !there.includes(name) || Buffer.compare(now, disk.read(folder, name)) !== 0;
  };
  return names.filter((name) => !replay.isUncertain(name) && isOtherwise(name)).slice(0, shownFiles);
}

/** Why nothing can be concluded from any cut. */
function whyNothing(trace: Seen["trace"], control: Round): string | undefined {
  const { problem, otherwise, clockMovedMs, writes } = trace;
  if (problem !== null) return `what the server wrote cannot be followed: ${problem}`;
  if (otherwise.length > 0)
    return `what was recorded is not what the kill left in ${otherwise.join(", ")}: something else wrote there`;
  if (clockMovedMs > clockMovedMaxMs) return "this machine's clock was set while the server was traced";
  if (writes === 0) return "no write to the data folder was recorded";
  if (control.notStarted !== null) return `after a kill alone, no server starts: ${wordsOf(control.notStarted)}`;
  const unseen = whyUnseen(control) ?? control.shown.find(({ rows }) => rows === null)?.why ?? undefined;
  return unseen === undefined ? undefined : `after a kill alone: ${unseen}`;
}

/** Why a server on what a cut left showed nothing; undefined if it did. */
function whyUnseen({ cut, notStarted, shown }: Round): string | undefined {
  if (notStarted !== null) return notStarted.ended ? undefined : `after ${cut.after}: ${notStarted.why}`;
  if (shown.length === 0) return `after ${cut.after}: nothing was read`;
  const unread = shown.find(({ isAnswered }) => !isAnswered);
  return unread && `after ${cut.after}: ${unread.why ?? "no answer"}`;
}

function wordsOf({ why, words }: { readonly why: string; readonly words: string }): string {
  return words === "" ? why : `${why}: ${words}`;
}
