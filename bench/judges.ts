/** How many operations per second one core judges, for each judge of concurrent histories. */
import { judgeBank } from "../src/history/bank.ts";
import { judgeCounter } from "../src/history/counter.ts";
import type { Operation, Values } from "../src/history/history.ts";
import { overlapOf } from "../src/history/overlap.ts";
import { judgeRegisters } from "../src/history/registers.ts";
import { judgeSet } from "../src/history/set.ts";
import { judgeGroup } from "../src/history/topic-group.ts";
import { judgeWinners } from "../src/history/winner.ts";

const count = 100_000;

/** Milliseconds for a hundred thousand operations, by judge. */
export function measureJudges(): Readonly<Record<string, number>> {
  return {
    set: timed(sets, (history) => judgeSet(history, "id").lost.length),
    "one winner": timed(races, (history) => judgeWinners(history, "id").length),
    registers: timed(registers, (history) => judgeRegisters(history, "v").length),
    counter: timed(counters, (history) => judgeCounter(history, { column: "n" }).length),
    bank: timed(banks, (history) => judgeBank(history, bank).length),
    "topic group": timed(groups, (history) => judgeGroup(history).length),
    overlap: timed(registers, (history) => (overlapOf(history).requests === 10 ? 0 : 1)),
  };
}

/** The history is made before the clock starts. A correct one must be found correct. */
function timed<History>(make: () => History, judge: (history: History) => number): number {
  const history = make();
  const startedAt = performance.now();
  if (judge(history) > 0) throw new Error("a correct history was judged faulty");
  return performance.now() - startedAt;
}

/** Ten clients in turn; each request overlaps with the nine before it. */
function sent(n: number) {
  return { client: n % 10, statement: n, dueAt: n, invokedAt: n, returnedAt: n + 9.5, outcome: "ok" } as const;
}

function write(n: number, key: string, values: Values): Operation {
  return { ...sent(n), kind: "insert", key, values };
}

function read(n: number, rows: readonly Values[], key: string | null = null): Operation {
  return { ...sent(n), kind: "read", key, rows };
}

function each(make: (n: number) => Operation): Operation[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** Inserts, and ten reads on the way that show a growing part of them. */
function sets(): Operation[] {
  const rows = each((n) => write(n, String(n), { mark: n })).map(({ key }) => ({ id: key }));
  return each((n) => (n % 10_000 === 9_999 ? read(n, rows.slice(0, n)) : write(n, String(n), { mark: n }))).map((one) =>
    one.kind === "read" ? { ...one, rows: one.rows?.filter(({ id }) => Number(id) % 10_000 !== 9_999) ?? null } : one,
  );
}

/** Eight inserts of each key, the first of which wins, and a read of all. */
function races(): Operation[] {
  const history = each((n) => ({
    ...write(n, String(n >> 3), { mark: n }),
    outcome: n % 8 === 0 ? ("ok" as const) : ("refused" as const),
  }));
  const rows = Array.from({ length: count / 8 }, (_, key) => ({ id: key, mark: 8 * key }));
  return [...history, read(2 * count, rows)];
}

/** Sixteen rows; each read shows the write before it. */
function registers(): Operation[] {
  return each((n) => {
    const key = String((n >> 1) % 16);
    return n % 2 === 0 ? write(n, key, { v: `v${n}` }) : read(n, [{ v: `v${n - 1}` }], key);
  });
}

function counters(): Operation[] {
  return each((n) => (n % 2 === 0 ? write(n, String(n), {}) : read(n, [{ n: (n + 1) / 2 }])));
}

const bank = { keyColumn: "id", balanceColumn: "money", keys: ["a", "b", "c"], total: 300 };

function banks(): Operation[] {
  const rows = bank.keys.map((id) => ({ id, money: 100 }));
  return each((n) => (n % 2 === 0 ? write(n, "a", {}) : read(n, rows)));
}

function groups(): Parameters<typeof judgeGroup>[0] {
  const published = each((n) => write(n, String(n), {})).filter((one) => one.kind !== "read");
  const delivered = published.map(({ key }, n) => ({
    consumer: n % 2 === 0 ? "a" : "b",
    partition: "0",
    offset: String(n),
    key,
    poll: n,
    invokedAt: n + 10,
    returnedAt: n + 12,
  }));
  const acknowledged = delivered
    .filter((_, n) => n % 100 === 99)
    .map(({ consumer, partition, offset, returnedAt }) => ({
      consumer,
      partition,
      upTo: offset,
      returnedAt: returnedAt + 5,
      outcome: "ok" as const,
    }));
  return { published, delivered, acknowledged, leftAt: {} };
}
