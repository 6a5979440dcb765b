/** Batches that are committed, rolled back or fail, each on keys of its own, and what a live query delivers of them. */
import type { Context } from "../../../../src/check.ts";
import {
  isCleanRefusal,
  saidOf,
  type Account,
  type Said,
  type Subscription,
  type Target,
} from "../../../../src/server/target.ts";
import { fenceArrives } from "../../../vocabulary/following.ts";
import { readTable } from "../../../vocabulary/tables.ts";
import {
  inSpan,
  isAnswered,
  isInSpan,
  isSettled,
  keysSeen,
  rowsByKey,
  toldBy,
  type Rows,
  type Written,
} from "../told-rows.ts";

export const tableKinds = ["USER", "SHARED"] as const;
export type TableKind = (typeof tableKinds)[number];

/** What must come of it: everything, nothing, or what SELECT shows. */
type Ends = "committed" | "undone" | "as shown";

interface Way {
  readonly name: string;
  readonly ends: Ends;
  readonly isRefused: boolean;
  readonly sql: (table: string, base: number) => string;
}

const insert = (table: string, ...rows: readonly (readonly [key: number, v: string])[]): string =>
  `INSERT INTO ${table} (id, v) VALUES ${rows.map(([key, v]) => `(${key}, '${v}')`).join(", ")}`;

/** Five keys are written: three are inserted, one of them is changed again, one is changed, one is deleted. */
function writesTo(table: string, base: number): string[] {
  return [
    insert(table, [base + 13, "first"]),
    insert(table, [base + 11, "one"], [base + 12, "two"]),
    `UPDATE ${table} SET v = 'changed' WHERE id = ${base + 1}`,
    `DELETE FROM ${table} WHERE id = ${base + 2}`,
    `UPDATE ${table} SET v = 'second' WHERE id = ${base + 13}`,
  ];
}
const planned = { 13: 2, 11: 1, 12: 1, 1: 1, 2: 1 } as const;

const untouchedKey = 3;
/** What is there before: a row to change, one to delete, and one that an insert of its key fails on. */
const baseKeys = [1, 2, untouchedKey];

const queries = (table: string, count: number): string[] =>
  Array.from({ length: count }, () => `SELECT COUNT(*) FROM ${table}`);

/** Between the writes of a batch and its end, so that a server that delivers too early has the time for it. */
const queriesMidway = 3;

const duplicate = (table: string, base: number): string => insert(table, [base + untouchedKey, "duplicate"]);

export const ways: readonly Way[] = [
  {
    name: "committed",
    ends: "committed",
    isRefused: false,
    sql: (table, base) => ["BEGIN", ...writesTo(table, base), "COMMIT"].join("; "),
  },
  {
    name: "rolled back",
    ends: "undone",
    isRefused: false,
    sql: (table, base) => ["BEGIN", ...writesTo(table, base), ...queries(table, queriesMidway), "ROLLBACK"].join("; "),
  },
  {
    name: "failed by a duplicate key",
    ends: "undone",
    isRefused: true,
    sql: (table, base) => ["BEGIN", ...writesTo(table, base), duplicate(table, base), "COMMIT"].join("; "),
  },
  {
    name: "failed by a missing column",
    ends: "undone",
    isRefused: true,
    sql: (table, base) =>
      ["BEGIN", ...writesTo(table, base), `UPDATE ${table} SET absent = 1 WHERE id = ${base + 1}`, "COMMIT"].join("; "),
  },
  {
    name: "left open",
    ends: "undone",
    isRefused: true,
    sql: (table, base) => ["BEGIN", ...writesTo(table, base), ...queries(table, queriesMidway)].join("; "),
  },
  {
    name: "failed without BEGIN",
    ends: "as shown",
    isRefused: true,
    sql: (table, base) =>
      [...writesTo(table, base), duplicate(table, base), insert(table, [base + 14, "after"])].join("; "),
  },
  {
    name: "one INSERT with a duplicate key",
    ends: "as shown",
    isRefused: true,
    sql: (table, base) => insert(table, [base + 11, "one"], [base + untouchedKey, "duplicate"], [base + 12, "two"]),
  },
];

export const waySpan = 100;
const baseOf = (round: number, way: number): number => waySpan * (1 + round * ways.length + way);

export type Step = Written & { readonly table: TableKind; readonly way: string; readonly said: Said };

export const endsOf = (step: Pick<Step, "way">): Ends | undefined => ways.find(({ name }) => name === step.way)?.ends;

/** Why it shows nothing of its kind: it was answered otherwise, or has another effect; undefined where it does. */
export function whyUnclear(step: Step): string | undefined {
  const way = ways.find(({ name }) => name === step.way);
  const { said } = step;
  if (way === undefined || !isAnswered(said)) return `it was not answered: ${said.message}`;
  if (way.isRefused ? !isCleanRefusal(said) : said.kind !== "ok")
    return way.isRefused ? `it was answered with ${said.code || "success"}` : `it was refused: ${said.message}`;
  const seen = keysSeen(step).filter(({ key }) => step.plan[key] !== undefined);
  const changed = seen.filter((one) => one.changed).length;
  if (way.ends === "committed" && changed < seen.length) return `SELECT shows ${changed} of its ${seen.length} changes`;
  return way.ends === "undone" && changed > 0 ? `SELECT shows ${changed} of its changes` : undefined;
}

export type Batches = {
  readonly steps: readonly Step[];
  /** Whether the row that was written last was delivered, too. */
  readonly fenced: boolean;
  readonly exchange: number;
};

interface Parties {
  readonly table: string;
  readonly kind: TableKind;
  readonly writer: Account;
  readonly subscription: Subscription;
}

/** After the last row has arrived: how long a change that is missing may take, and a table that lags. */
const lateWithinMs = 2_000;
const fence = { id: 99, v: "fence" } as const;

/** Inserts the rows that the batches change. */
export async function prepare(target: Target, context: Context, as: Account, table: string, rounds: number) {
  const rows = Array.from({ length: rounds }, (_, round) =>
    ways.flatMap((__, way) => baseKeys.map((key) => [baseOf(round, way) + key, "was"] as const)),
  ).flat();
  context.need(await target.sql(as, insert(table, ...rows)), `the rows of ${table} could not be inserted`);
}

export async function runBatches(
  target: Target,
  context: Context,
  { table, kind, writer, subscription }: Parties,
  rounds: number,
): Promise<Batches> {
  const read = async (): Promise<Rows | null> => {
    const rows = await readTable(target, writer, table, ["id", "v"]);
    return rows === null ? null : rowsByKey(rows);
  };
  const before = context.need(await read(), `${table} could not be read before the batches`);
  const sent: { readonly base: number; readonly way: Way; readonly said: Said }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, way] of ways.entries()) {
      const base = baseOf(round, at);
      sent.push({ base, way, said: saidOf(await target.sql(writer, way.sql(table, base))) });
    }
  }
  await target.sql(writer, insert(table, [fence.id, fence.v]));
  const fenced = await fenceArrives(subscription, "v", fence.v);
  const look = async (): Promise<Step[] | null> => {
    const after = await read();
    if (after === null) return null;
    const told = toldBy(subscription);
    return sent.map(({ base, way, said }) => ({
      table: kind,
      way: way.name,
      said,
      plan: Object.fromEntries(Object.entries(planned).map(([key, count]) => [base + Number(key), count])),
      before: inSpan(before, base, waySpan),
      after: inSpan(after, base, waySpan),
      told: told.filter(({ key }) => isInSpan(key, base, waySpan)),
    }));
  };
  const steps = await context.poll(look, (all) => !fenced || all?.every(isSettled) === true, {
    withinMs: lateWithinMs,
    everyMs: 250,
  });
  return {
    steps: context.need(steps, `${table} could not be read after the batches`),
    fenced,
    exchange: subscription.exchange,
  };
}
