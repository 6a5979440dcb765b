/**
 * The one workload that five checks judge: several clients change a shared table, one subscriber follows it. Every mark is
 * unique, each key has one writer, and a last row, the fence, shows when everything before it should have arrived.
 */
import { defineObservation, type Context } from "../../../src/check.ts";
import {
  delaysOf,
  missingChanges,
  percentile,
  type ChangeHistory,
  type DeliveredChange,
} from "../../../src/history/changes.ts";
import type { Values, Write } from "../../../src/history/history.ts";
import { cellText, type Account, type Change, type Subscription, type Target } from "../../../src/server/target.ts";
import { follow, noticesOf } from "../../vocabulary/following.ts";
import { onSchedule, writesOf, type PlannedWrite } from "../../vocabulary/operations.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { deliveredOf, keyColumn, markColumn, markedColumns, marksIn, statementFor } from "./marked-rows.ts";
import { withPace } from "../../vocabulary/pace.ts";

const clientCount = 6;
/** Between statements of one client, at least and at most. */
const statementEveryMs = { min: 40, max: 250 };
/** At light effort the same changes come in fewer statements. */
const rowsPerInsertMax = { light: 32, standard: 8, deep: 8 };
const fenceWithinMs = 10_000;
const fencesMax = 3;
/** Between clients no order is promised: what the fence has overtaken is late, and lost only when it does not come then. */
const lateWithinMs = 2_000;

export type Streamed = {
  readonly writes: readonly Write[];
  readonly delivered: readonly DeliveredChange[];
  /** Key and mark of each row at the end. */
  readonly table: readonly (readonly [string, string])[];
  /** Milliseconds from sending the fence until its event; null where none came. */
  readonly fenceMs: number | null;
  /**
   * When the writes began, in ms on their clock, and the slowest plain SELECT beside them (null where none was answered): once,
   * and again where they were late while the server was slow altogether.
   */
  readonly phases: readonly Phase[];
  readonly notices: readonly string[];
  /** The subscription's number in the recording. */
  readonly exchange: number;
};

export type Phase = { readonly from: number; readonly controlMs: number | null };

/** Delays that a check may call late, and the plain SELECT that explains them: then the writes are made once more. */
const lateMs = 500;
const slowMs = 100;
const phasesMax = 3;

export const stream = defineObservation<Streamed>({
  id: "subscriptions/stream",
  touches: "scratch",
  needs: ["dba"],
  // The delays are of this workload: those of other checks would be measured with it.
  alone: true,
  uses: { user: 1, service: clientCount },
  estimateMs: 5_000,
  estimateRequests: 430,
  timeoutMs: 120_000,
  async observe(target, context) {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const clients = await Promise.all(
      Array.from({ length: clientCount }, async (_, at) => await target.account("service", `writer ${at}`)),
    );
    const sharing = { columns: markedColumns, readers: ["user"] } as const;
    const table = await sharedTable(target, context, op, `${context.scratch}.feed`, sharing);
    const { live, subscription } = context.need(
      await follow(target, reader, `SELECT * FROM ${table}`),
      "the subscription did not begin",
    );

    const everyMs = await sustainablePace(target, clients, table, context.size({ light: 1, standard: 3, deep: 3 }));
    const changes = context.size({ light: 300, standard: 1_000, deep: 4_000 });
    const rows = Math.ceil(changes / clientCount);
    const delivered = (): DeliveredChange[] =>
      subscription.changes.filter((change) => !isFence(change)).map(deliveredOf);
    const phases: Phase[] = [];
    const writes: Write[] = [];
    let fenceMs: number | null = null;
    for (let again = true; again && phases.length < phasesMax;) {
      const writeAll = async (): Promise<Write[][]> =>
        await Promise.all(
          clients.map(async (as, at) => {
            const client = phases.length * clientCount + at;
            return await writeRows({ target, context, as, table, client, everyMs, rows });
          }),
        );
      const from = Math.floor(performance.now());
      const { value, pace } = await withPace(target, op, writeAll, 0);
      phases.push({ from, controlMs: pace.controlMs });
      const written = value.flat();
      writes.push(...written);
      fenceMs = await fence(target, op, table, { subscription, first: phases.length * fencesMax });
      const { delays } = delaysOf({ keyColumn, markColumn, writes: written, delivered: delivered(), table: [] });
      again = fenceMs !== null && percentile(delays, 0.99) > lateMs && (pace.controlMs ?? 0) > slowMs;
    }
    let broken = false;
    if (fenceMs !== null) {
      const missing = await context.poll(
        async () =>
          await Promise.resolve(
            missingChanges({ keyColumn, markColumn, writes, delivered: delivered(), table: [] }).length,
          ),
        (count) => count === 0 || live.closed() !== undefined,
        { withinMs: lateWithinMs, everyMs: 100 },
      );
      broken = missing > 0 && live.closed() !== undefined;
    }
    return {
      writes,
      // Fences have keys below zero.
      table: context.need(await marksIn(target, op, table, "id > 0"), "the table could not be read at the end"),
      delivered: delivered(),
      // What a connection that was cut after the fence did not bring is not lost yet.
      fenceMs: broken ? null : fenceMs,
      phases,
      notices: noticesOf(subscription, live),
      exchange: subscription.exchange,
    };
  },
});

interface Writing {
  readonly target: Target;
  readonly context: Context;
  readonly as: Account;
  readonly table: string;
  readonly client: number;
  /** Between two statements. */
  readonly everyMs: number;
  /** How many rows to write, about. */
  readonly rows: number;
}

/**
 * Twice what a statement takes while all clients send: a schedule that the server cannot keep would measure its queue, and
 * not how promptly it delivers.
 */
async function sustainablePace(
  target: Target,
  clients: readonly Account[],
  table: string,
  rounds: number,
): Promise<number> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const statement = `UPDATE ${table} SET n = 0 WHERE id = -1`;
    const answers = await Promise.all(clients.map(async (as) => await target.sql(as, statement)));
    took.push(...answers.map(({ sentAt, doneAt }) => doneAt - sentAt));
  }
  return Math.min(statementEveryMs.max, Math.max(statementEveryMs.min, 2 * percentile(took, 0.5)));
}

/** Inserts, updates and deletes among keys of its own, one statement after the other. */
async function writeRows({ target, context, as, table, client, everyMs, rows }: Writing): Promise<Write[]> {
  const random = context.random(`writer ${client}`);
  const firstAt = performance.now() + ((client % clientCount) * everyMs) / clientCount;
  const send = onSchedule(target, context, as, { firstAt, everyMs });
  const present = new Map<string, Values>();
  const writes: Write[] = [];
  let nextKey = (client + 1) * 1_000_000;
  for (let step = 0; writes.length < rows; step += 1) {
    const [oldest] = present.keys();
    const values = (at: number) => ({ mark: `w${client}-${step}-${at}`, ...valuesFor(step + at) });
    const choice = random();
    const planned: PlannedWrite[] = [];
    if (oldest === undefined || choice < 0.5) {
      const count = 1 + Math.floor(random() * context.size(rowsPerInsertMax));
      for (let at = 0; at < count; at += 1)
        planned.push({ kind: "insert", key: String((nextKey += 1)), values: values(at) });
    } else if (choice < 0.8) planned.push({ kind: "update", key: oldest, values: values(0) });
    else planned.push({ kind: "delete", key: oldest, values: present.get(oldest) ?? values(0) });

    const { answer, dueAt } = await send(statementFor(table, planned));
    for (const write of writesOf(answer, { client, dueAt }, planned)) {
      writes.push(write);
      if (write.outcome === "refused") continue;
      // The key moves to the end, so that each is changed again some time.
      present.delete(write.key);
      // A key whose state is open is left alone: what comes of a further change could not be known.
      if (write.kind !== "delete" && write.outcome === "ok") present.set(write.key, write.values);
    }
  }
  return writes;
}

/** Some NULLs, and numbers that differ, so that a column that is left out or mixed up shows. */
function valuesFor(n: number): Values {
  return { n: n % 4 === 3 ? null : n, note: n % 3 === 2 ? null : `note ${n}` };
}

/** Writes a row that must arrive after all others; a second and third time, in case just that event is lost. */
async function fence(
  target: Target,
  op: Account,
  table: string,
  { subscription, first }: { readonly subscription: Subscription; readonly first: number },
): Promise<number | null> {
  for (let n = first; n < first + fencesMax; n += 1) {
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

export function historyOf({ writes, delivered, table }: Streamed): ChangeHistory {
  return { keyColumn, markColumn, writes, delivered, table };
}

/** Why the stream cannot be judged; undefined if it can. */
export function whyUnknown(streamed: Streamed): string | undefined {
  const { fenceMs, notices } = streamed;
  const count = acknowledged(streamed);
  if (count < acknowledgedMin) return `only ${count} changes were acknowledged; at least ${acknowledgedMin} are needed`;
  if (fenceMs !== null) return undefined;
  return `the fence row did not arrive within ${fenceWithinMs / 1000} s${notices.length === 0 ? "" : `: ${notices.join("; ")}`}`;
}

export function acknowledged({ writes }: Streamed): number {
  return writes.filter((write) => write.outcome === "ok").length;
}
