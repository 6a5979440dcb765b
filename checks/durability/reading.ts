/** Reading a table whole: by key pages until one is empty, since a server may cut any result short without a sign. */
import type { Context } from "../../src/check.ts";
import { cellText, rowsOf, type Account, type Target } from "../../src/server/target.ts";
import type { Cause } from "../../src/server/refusal.ts";
import type { Read, Values } from "../../src/history/history.ts";
import { plainRow } from "../vocabulary/opening.ts";
import { waitPatiently } from "../vocabulary/pace.ts";

const pageRows = 200;
const triesMax = 3;
/** More than any check writes: a server may invent rows for every page. */
const rowsMax = 50_000;

export type Reading = {
  /** Null where a page was not answered or did not go on from the one before. */
  readonly rows: readonly Values[] | null;
  /** Null if it was read; else in words. */
  readonly why: string | null;
  /** Why a page was refused, where that is known: `missing` if there is no such table. */
  readonly cause: Cause | null;
  /** Of its last page. */
  readonly exchange: number;
};

/** All rows of the account, in the order of their keys. `id`, an integer, must be among the columns. */
export async function readWhole(
  target: Pick<Target, "sql">,
  as: Account,
  table: string,
  columns: readonly string[],
): Promise<Reading> {
  const rows: Values[] = [];
  let exchange = 0;
  const failed = (why: string, cause: Cause | null = null): Reading => ({
    rows: null,
    why: `${table}: ${why}`,
    cause,
    exchange,
  });
  for (let after: bigint | undefined; ;) {
    const where = after === undefined ? "" : ` WHERE id > ${after}`;
    const sql = `SELECT ${columns.join(", ")} FROM ${table}${where} ORDER BY id LIMIT ${pageRows}`;
    let answer = await target.sql(as, sql);
    for (let tries = 1; answer.kind === "unsure" && tries < triesMax; tries += 1) answer = await target.sql(as, sql);
    ({ exchange } = answer);
    const page = rowsOf(answer)?.map(plainRow);
    if (answer.kind !== "ok") return failed(answer.message, answer.kind === "refused" ? answer.cause : null);
    if (page === undefined) return failed("the answer has no columns");
    if (page.length === 0) return { rows, why: null, cause: null, exchange };
    for (const row of page) {
      const key = cellText(row["id"]);
      if (!/^-?\d+$/.test(key) || (after !== undefined && BigInt(key) < after))
        return failed(`a page shows the key ${key} after ${after}`);
      after = BigInt(key);
      rows.push(row);
    }
    if (rows.length > rowsMax) return failed(`more than ${rowsMax} rows`);
  }
}

/** The reading as an operation of a history, of all rows. */
export function asRead(
  { rows, exchange }: Pick<Reading, "rows" | "exchange">,
  at: { readonly from: number; readonly to: number },
): Read {
  const sent = { client: -1, statement: exchange, dueAt: at.from, invokedAt: at.from, returnedAt: at.to };
  return { ...sent, kind: "read", key: null, rows, outcome: rows === null ? "unsure" : "ok" };
}

/** After a start rows may still be on their way into view: so long at least, and ten times as long as a plain SELECT takes. */
const allThereMs = 10_000;

/** Reads until the rows are whole, or have been awaited long enough; the last reading. */
export async function readUntil(
  target: Target,
  context: Pick<Context, "poll">,
  { as, table, columns, isWhole }: Wanted,
): Promise<Reading> {
  return await untilThere(
    target,
    context,
    as,
    async () => await readWhole(target, as, table, columns),
    ({ rows }) => rows !== null && isWhole(rows),
  );
}

interface Wanted {
  readonly as: Account;
  readonly table: string;
  readonly columns: readonly string[];
  readonly isWhole: (rows: readonly Values[]) => boolean;
}

export function atLeast(count: number): Wanted["isWhole"] {
  return (rows) => rows.length >= count;
}

/** Repeats a reading until all is there, or has been awaited long enough; the last one. */
export async function untilThere<T>(
  target: Pick<Target, "sql">,
  context: Pick<Context, "poll">,
  as: Account,
  read: () => Promise<T>,
  isThere: (reading: T) => boolean,
): Promise<T> {
  const { value } = await waitPatiently(target, as, {
    wait: async (withinMs) => await context.poll(read, isThere, { withinMs, everyMs: 250 }),
    done: isThere,
    floorMs: allThereMs,
  });
  return value;
}
