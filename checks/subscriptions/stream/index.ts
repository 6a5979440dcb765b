/**
 * The one workload that five checks judge: several writers change a shared table, one subscriber is told of it. Every value is
 * unique, each key has one writer, and a last row, the fence, tells when everything before it must have arrived.
 */
import { defineObservation, type Context } from "../../../src/check.ts";
import { missingChanges, type ChangeHistory, type RowWrite, type ToldChange } from "../../../src/history/changes.ts";
import { watchLag } from "../../../src/history/lag.ts";
import { cellText, type Account, type Change, type Subscription, type Target } from "../../../src/server/target.ts";
import { noticesOf } from "../../vocabulary/following.ts";
import { marksIn, outcomeOf, statementFor, toldOf } from "./marked-rows.ts";

const writerCount = 6;
const rowsPerInsertMax = 8;
const fenceWithinMs = 10_000;
const fencesMax = 3;
/** Between writers no order is promised: what the fence has overtaken is late, and lost only when it does not come then. */
const lateWithinMs = 2_000;
const keyColumn = "id";
const markColumn = "mark";

/** What came of it. `why` is set where it could not be carried through, and then nothing is judged. */
export type Streamed = {
  readonly why: string | null;
  readonly writes: readonly RowWrite[];
  readonly told: readonly ToldChange[];
  readonly table: readonly (readonly [string, string])[];
  /** Milliseconds from sending the fence until its event; null where none came. */
  readonly fenceMs: number | null;
  readonly notices: readonly string[];
  /** The subscription's number in the recording. */
  readonly exchange: number;
  /** How late timers of our own fired, at most: a slow checker must not blame the server. */
  readonly lagMs: number;
};

export const stream = defineObservation<Streamed>({
  id: "subscriptions/stream",
  touches: "scratch",
  needs: ["dba"],
  estimateMs: 4_000,
  estimateRequests: 420,
  timeoutMs: 120_000,
  async observe(target, context) {
    const { scratch } = context;
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const writers = await Promise.all(
      Array.from({ length: writerCount }, async (_, at) => await target.account("service", `writer ${at}`)),
    );
    const table = `${scratch}.feed`;
    const nothing = { writes: [], told: [], table: [], fenceMs: null, notices: [], exchange: 0, lagMs: 0 };
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, mark TEXT, n INT, note TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    );
    if (made.kind !== "ok") return { ...nothing, why: `the table could not be made: ${made.message}` };
    const live = await target.live(reader);
    if ("why" in live) return { ...nothing, why: `no live connection: ${live.why}` };
    const subscription = await live.subscribe(`SELECT * FROM ${table}`);
    const begun = await subscription.begin();
    if (begun.kind !== "ready")
      return {
        ...nothing,
        why: `the subscription did not begin: ${begun.kind === "unsure" ? begun.why : begun.message}`,
      };

    const changes = context.size({ light: 300, standard: 1_000, deep: 4_000 });
    const stopWatching = watchLag();
    const written = await Promise.all(
      writers.map(
        async (as, at) =>
          await writeRows({ target, context, as, table, writer: at, rows: Math.ceil(changes / writerCount) }),
      ),
    );
    const fenceMs = await fence(target, op, table, subscription);
    const lagMs = stopWatching();
    const writes = written.flat();
    const told = (): ToldChange[] => subscription.changes.filter((change) => !isFence(change)).map(toldOf);
    let broken = false;
    if (fenceMs !== null) {
      const missing = await context.poll(
        async () =>
          await Promise.resolve(missingChanges({ keyColumn, markColumn, writes, told: told(), table: [] }).length),
        (count) => count === 0 || live.closed() !== undefined,
        { withinMs: lateWithinMs, everyMs: 100 },
      );
      broken = missing > 0 && live.closed() !== undefined;
    }
    // Fences have keys below zero.
    const rows = await marksIn(target, op, table, "id > 0");
    if (rows === null) return { ...nothing, why: "the table could not be read at the end" };
    return {
      why: null,
      writes,
      told: told(),
      table: rows,
      // What a connection that was cut behind the fence did not bring is not lost yet.
      fenceMs: broken ? null : fenceMs,
      notices: noticesOf(subscription, live),
      exchange: subscription.exchange,
      lagMs,
    };
  },
});

interface Writing {
  readonly target: Target;
  readonly context: Context;
  readonly as: Account;
  readonly table: string;
  readonly writer: number;
  /** How many rows to write, about. */
  readonly rows: number;
}

/** Inserts, updates and deletes among keys of its own, one statement after the other. */
async function writeRows({ target, context, as, table, writer, rows }: Writing): Promise<RowWrite[]> {
  const present = new Map<string, { mark: string; rest: RowWrite["rest"] }>();
  const writes: RowWrite[] = [];
  let nextKey = (writer + 1) * 1_000_000;
  for (let statement = 0; writes.length < rows; statement += 1) {
    const [oldest] = present.keys();
    const dice = context.random("values")();
    const planned: Omit<RowWrite, "outcome" | "from" | "to">[] = [];
    const common = { statement: statement * writerCount + writer, writer };
    const values = (at: number) => ({ mark: `w${writer}-${statement}-${at}`, rest: restFor(statement + at) });
    if (oldest === undefined || dice < 0.5) {
      const count = 1 + Math.floor(context.random("values")() * rowsPerInsertMax);
      for (let at = 0; at < count; at += 1)
        planned.push({ ...common, kind: "insert", key: String((nextKey += 1)), ...values(at) });
    } else if (dice < 0.8) planned.push({ ...common, kind: "update", key: oldest, ...values(0) });
    else planned.push({ ...common, kind: "delete", key: oldest, ...(present.get(oldest) ?? values(0)) });

    const answer = await target.sql(as, statementFor(table, planned));
    const outcome = outcomeOf(answer, planned.length);
    for (const one of planned) {
      writes.push({ ...one, outcome, from: Math.round(answer.sentAt), to: Math.round(answer.doneAt) });
      if (outcome === "refused") continue;
      // The key moves to the end, so that each is changed again some time.
      present.delete(one.key);
      // A key whose state is open is left alone: nobody could tell what comes of a further change.
      if (one.kind !== "delete" && outcome === "ok") present.set(one.key, { mark: one.mark, rest: one.rest });
    }
  }
  return writes;
}

/** Some NULLs, and numbers that differ, so that a column that is left out or mixed up shows. */
function restFor(n: number): RowWrite["rest"] {
  return { n: n % 4 === 3 ? null : n, note: n % 3 === 2 ? null : `note ${n}` };
}

/** Writes a row that must arrive after all others; a second and third time, in case just that event is the one that is lost. */
async function fence(target: Target, op: Account, table: string, subscription: Subscription): Promise<number | null> {
  for (let n = 1; n <= fencesMax; n += 1) {
    const sentAt = performance.now();
    await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${-n}, 'fence-${n}')`);
    const arrived = await subscription.untilChange(
      (change) => change.row?.[markColumn] === `fence-${n}`,
      fenceWithinMs / fencesMax,
    );
    if (arrived !== undefined) return Math.round(arrived.at - sentAt);
  }
  return null;
}

function isFence(change: Change): boolean {
  return cellText(change.row?.[markColumn]).startsWith("fence-");
}

/** Fewer acknowledged changes show nothing about a stream. */
const acknowledgedMin = 100;

export function historyOf({ writes, told, table }: Streamed): ChangeHistory {
  return { keyColumn, markColumn, writes, told, table };
}

/** Why the stream cannot be judged; undefined if it can. */
export function untold({ why, writes, fenceMs, notices }: Streamed): string | undefined {
  if (why !== null) return why;
  const count = writes.filter((write) => write.outcome === "ok").length;
  if (count < acknowledgedMin) return `only ${count} changes were acknowledged`;
  if (fenceMs !== null) return undefined;
  return `the fence row did not arrive within ${fenceWithinMs / 1000} s${notices.length === 0 ? "" : `: ${notices.join("; ")}`}`;
}

export function acknowledged({ writes }: Streamed): number {
  return writes.filter((write) => write.outcome === "ok").length;
}
