/**
 * A subscriber that stops reading while large rows are written, beside one that reads on. Two checks judge it: whether the server
 * reports what it dropped, and whether the subscriber itself is told.
 */
import { defineObservation, type Context } from "../../../src/check.ts";
import { cellText, type Account, type Subscription, type Target } from "../../../src/server/target.ts";
import { follow, type Following } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { readFigures } from "../figures.ts";
import { closeOf, logRows, lossLogged, lossMessages, risenCounters, type Admission } from "./admissions.ts";

const payloadChars = 8_192;
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const rowsPerInsert = 40;
const fenceWithinMs = 10_000;
const fencesMax = 3;
/** The steady reader may be behind by this many rows at most, so that what it misses was not lost because of its own slowness. */
const steadyBehindMax = 80;
/** Waited for it once; then the writing goes on without it. */
const steadyWithinMs = 8_000;
/** With fewer acknowledged rows, a server may not have had to drop anything. */
export const acknowledgedMin = 600;

/** What the subscriber that reads on received. */
type Steady = {
  /** Of the rows written before the other stopped reading. */
  readonly before: { readonly written: number; readonly received: number };
  readonly received: number;
  readonly fenced: boolean;
  /** How far it came while the other did not read; null if it kept up. */
  readonly stalledAt: number | null;
  readonly notices: readonly string[];
  readonly exchange: number;
};

/** What the slow reader finds when it connects and subscribes again; null if that failed. */
type Again = { readonly missing: number; readonly first: readonly string[]; readonly exchange: number } | null;

export type SlowRead = {
  readonly acknowledged: number;
  readonly received: number;
  readonly fenced: boolean;
  readonly closed: number | null;
  /** Everywhere that reports the loss. */
  readonly admitted: readonly Admission[];
  /** Messages to the subscriber, and the end of its connection: what it can see itself. */
  readonly told: readonly Admission[];
  readonly statsRead: boolean;
  readonly logRead: boolean;
  readonly steady: Steady;
  readonly again: Again;
  /** Of the server's processes, in bytes; null where it cannot be read. */
  readonly memory: { readonly before: number; readonly most: number } | null;
  readonly bytesWritten: number;
  readonly exchange: number;
};

export const slowReader = defineObservation<SlowRead>({
  id: "observability/slow-reader",
  touches: "load",
  needs: ["dba"],
  alone: true,
  estimateMs: 7_000,
  estimateRequests: 90,
  timeoutMs: 120_000,
  async observe(target, context) {
    const op = await target.account("dba");
    const reader = await target.account("user", "paused reader");
    const steadyReader = await target.account("user", "steady reader");
    const { scratch } = context;
    const columns = "id BIGINT PRIMARY KEY, payload TEXT";
    const table = await sharedTable(target, context, op, `${scratch}.busy`, { columns, readers: ["user"] });
    const query = `SELECT id, payload FROM ${table}`;
    // This refusal is logged: finding it later shows that the log can be read.
    const unlogged = `${scratch}.nowhere`;
    await target.sql(op, `SELECT id FROM ${unlogged} LIMIT 1`);
    const slow = context.need(
      await follow(target, reader, query, {}, {}, `${scratch}_reader`),
      "the subscriber failed",
    );
    const steady = context.need(await follow(target, steadyReader, query), "the second subscriber failed");
    const { live, subscription } = slow;
    const writer = new Writer(target, context, op, table);
    const all = [subscription, steady.subscription];
    context.need((await writer.fence(all)) ? true : null, "nothing was delivered even before the pause");
    await writer.write(2 * rowsPerInsert);
    await writer.fence(all);
    const written = writer.acknowledged.length;
    const beforePause = { written, received: countOf(writer.acknowledged, steady.subscription) };
    const before = await readFigures(target, op);
    context.need(before.figures, "system.stats could not be read");
    const earlier = await logRows(target, op, subscription.id);
    const framesBefore = live.frames.length;
    const memory = memoryOf(target);

    live.pause();
    const count = context.size({ light: 1_200, standard: 2_000, deep: 4_000 });
    const stalledAt = await writeBeside(writer, count, steady, memory);
    live.resume();
    const fenced = await writer.fence([subscription]);
    const steadyFenced = await writer.fence([steady.subscription]);
    memory?.look();
    const closed = live.closed()?.code ?? null;
    const after = await readFigures(target, op);
    const logged = await logRows(target, op, subscription.id);
    const control = await logRows(target, op, unlogged);
    const ids = writer.acknowledged.slice(written);
    const names = [subscription.id, scratch, reader.name];
    const told = [...lossMessages(live.frames, framesBefore, names), ...closeOf(live)];
    return {
      acknowledged: ids.length,
      received: countOf(ids, subscription),
      fenced,
      closed,
      admitted: [...lossLogged(logged ?? [], earlier ?? [], names), ...risenCounters(before, after), ...told],
      told,
      statsRead: after.figures !== null,
      logRead: earlier !== undefined && logged !== undefined && (control ?? []).length > 0,
      steady: {
        before: beforePause,
        received: countOf(ids, steady.subscription),
        fenced: steadyFenced,
        stalledAt,
        notices: [
          ...lossMessages(steady.live.frames, 0, [...names, steady.subscription.id, steadyReader.name]),
          ...closeOf(steady.live),
        ].map(({ words }) => words),
        exchange: steady.subscription.exchange,
      },
      again: await subscribeAgain(target, reader, table, writer.acknowledged),
      memory: memory === undefined ? null : { before: memory.before, most: memory.most },
      bytesWritten: ids.length * payloadChars,
      exchange: subscription.exchange,
    };
  },
});

/** Writes while the steady reader keeps up. How many rows it had when it did no longer; null if it always did. */
async function writeBeside(
  writer: Writer,
  count: number,
  { subscription }: Following,
  memory: Memory | undefined,
): Promise<number | null> {
  let stalledAt: number | null = null;
  for (let done = 0; done < count; done += rowsPerInsert) {
    await writer.write(Math.min(rowsPerInsert, count - done));
    memory?.look();
    const due = writer.acknowledged.at(-1 - steadyBehindMax);
    if (stalledAt !== null || due === undefined) continue;
    const came = await subscription.untilChange(({ row }) => cellText(row?.["id"]) === due, steadyWithinMs);
    if (came === undefined) stalledAt = countOf(writer.acknowledged, subscription);
  }
  return stalledAt;
}

function countOf(ids: readonly string[], { changes }: Subscription): number {
  const came = new Set(changes.map(({ row }) => cellText(row?.["id"])));
  return ids.filter((id) => came.has(id)).length;
}

async function subscribeAgain(target: Target, as: Account, table: string, ids: readonly string[]): Promise<Again> {
  const again = await follow(target, as, `SELECT id FROM ${table}`);
  if ("why" in again) return null;
  const { live, subscription, rows } = again;
  live.close();
  const there = new Set([...rows, ...subscription.changes.map(({ row }) => row)].map((row) => cellText(row?.["id"])));
  const missing = ids.filter((id) => !there.has(id));
  return { missing: missing.length, first: missing.slice(0, 5), exchange: subscription.exchange };
}

interface Memory {
  readonly before: number;
  readonly most: number;
  look(): void;
}

function memoryOf({ control }: Target): Memory | undefined {
  const read = (): number | undefined => control?.own?.residentBytes();
  const before = read();
  if (before === undefined) return undefined;
  let most = before;
  return {
    before,
    get most() {
      return most;
    },
    look: () => (most = Math.max(most, read() ?? 0)),
  };
}

/**
 * Writes rows and fences with ascending ids: pages of a snapshot lose rows where keys do not ascend with time (subscriptions/options-honoured
 * judges that).
 */
class Writer {
  /** The keys of the rows that were acknowledged. */
  readonly acknowledged: string[] = [];
  readonly #send: (sql: string) => ReturnType<Target["sql"]>;
  readonly #table: string;
  readonly #text: string;
  #last = 0;

  constructor(target: Target, context: Context, as: Account, table: string) {
    this.#send = async (sql) => await target.sql(as, sql);
    this.#table = table;
    const random = context.random("values");
    // Random text over 64 characters, so that compression does not make it small.
    const letter = (): string => alphabet.charAt(Math.floor(random() * alphabet.length));
    this.#text = Array.from({ length: payloadChars * 4 }, letter).join("");
  }

  async write(count: number): Promise<void> {
    for (let left = count; left > 0; left -= rowsPerInsert) {
      const ids = Array.from({ length: Math.min(rowsPerInsert, left) }, (_, n) => this.#last + 1 + n);
      this.#last += ids.length;
      const values = ids.map(
        (id) => `(${id}, '${this.#text.slice(id % payloadChars, (id % payloadChars) + payloadChars)}')`,
      );
      const answer = await this.#send(`INSERT INTO ${this.#table} (id, payload) VALUES ${values.join(", ")}`);
      if (answer.kind === "ok" && answer.results[0]?.rowCount === ids.length)
        this.acknowledged.push(...ids.map(String));
    }
  }

  /** Writes rows until one is delivered to each; everything queued before it has been delivered by then. */
  async fence(subscriptions: readonly Subscription[]): Promise<boolean> {
    for (let n = 0; n < fencesMax; n += 1) {
      this.#last += 1;
      const id = String(this.#last);
      await this.#send(`INSERT INTO ${this.#table} (id, payload) VALUES (${id}, 'fence')`);
      const came = await Promise.all(
        subscriptions.map(
          async (one) => await one.untilChange(({ row }) => cellText(row?.["id"]) === id, fenceWithinMs / fencesMax),
        ),
      );
      if (came.every((change) => change !== undefined)) return true;
    }
    return false;
  }
}
