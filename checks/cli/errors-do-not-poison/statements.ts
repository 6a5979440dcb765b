/** Mistakes and good statements in turn on one connection, and which of the good ones went wrong. */
import type { Account, Target } from "../../../src/server/target.ts";
import { cellText, onlyRow, outcomeOf, type Answer } from "../../../src/server/target.ts";
import { createTable } from "../../vocabulary/tables.ts";

/** Each leaves something open, half done or discarded in the server. `n` is different each time. */
export const mistakes: readonly {
  readonly name: string;
  readonly sql: (t: string, n: number) => string;
  readonly asUser?: boolean;
}[] = [
  { name: "bad syntax", sql: () => "SELEKT 1" },
  { name: "a missing table", sql: (t) => `SELECT * FROM ${t}_missing` },
  { name: "an existing key", sql: (t) => `INSERT INTO ${t} (id, v) VALUES (0, 'again')` },
  { name: "a wrong type", sql: (t, n) => `INSERT INTO ${t} (id, v) VALUES ('abc', 'bad ${n}')` },
  { name: "an open transaction", sql: (t, n) => `BEGIN; INSERT INTO ${t} (id, v) VALUES (${100_000 + n}, 'bad ${n}')` },
  {
    name: "a transaction that fails",
    sql: (t, n) =>
      `BEGIN; INSERT INTO ${t} (id, v) VALUES (${200_000 + n}, 'bad ${n}'); INSERT INTO ${t} (id, v) VALUES (0, 'again'); COMMIT`,
  },
  { name: "a batch that fails", sql: (t) => `SELECT 1 AS a; SELECT missing FROM ${t}` },
  { name: "a division by zero", sql: (t) => `SELECT 1 / (id - id) AS x FROM ${t}` },
  {
    name: "a missing namespace",
    sql: (t) => createTable(t.replace(".", "_missing."), { columns: "id BIGINT PRIMARY KEY" }),
  },
  { name: "no right", sql: () => "SELECT * FROM system.users LIMIT 1", asUser: true },
];

export type Good = {
  /** The mistake just before it. */
  readonly after: string;
  readonly asked: string;
  readonly wanted: string;
  /** Null where it failed. */
  readonly got: string | null;
  /** The cause of a rejection, or what broke. */
  readonly failure: string;
  readonly outcome: string;
  readonly exchange: number;
};

export type Pairs = {
  /** The mistakes that were rejected as such. */
  readonly mistakes: readonly string[];
  readonly good: readonly Good[];
  /** How often the connection was opened. */
  readonly opened: number;
  /** The number of rows that there should be in the end. */
  readonly wantedRows: number;
};

/** `table` has one row; `accounts` take turns. */
export async function sendPairs(
  target: Target,
  { table, pairs, connection }: { readonly table: string; readonly pairs: number; readonly connection: string },
  { accounts, user }: { readonly accounts: readonly [Account, Account]; readonly user: Account },
): Promise<Pairs> {
  const good: Good[] = [];
  const made: string[] = [];
  let opened = 0;
  let rows = 1;
  for (let n = 1; n <= pairs; n += 1) {
    const mistake = mistakes[n % mistakes.length] ?? mistakes[0];
    if (mistake === undefined) break;
    const as = accounts[n % 2 === 0 ? 0 : 1];
    const bad = await target.sql(mistake.asUser === true ? user : as, mistake.sql(table, n), { connection });
    if (bad.kind !== "ok" && bad.status !== undefined && bad.status < 500 && bad.status !== 429)
      made.push(mistake.name);
    const { asked, wanted } = goodOne(table, n, rows);
    const answer = await target.sql(as, asked, { connection });
    if (answer.kind === "ok" && isInsert(asked)) rows += 1;
    good.push({
      after: mistake.name,
      asked,
      wanted,
      got: resultOf(asked, answer),
      failure: answer.kind === "ok" ? "" : answer.kind === "refused" ? answer.cause : answer.because,
      outcome: outcomeOf(answer),
      exchange: answer.exchange,
    });
    opened = Math.max(opened, answer.opened ?? 0);
  }
  return { mistakes: made, good, opened, wantedRows: rows };
}

const counting = "SELECT COUNT(*)";

/** An insert, a literal and a count in turn. */
function goodOne(table: string, n: number, rows: number): { readonly asked: string; readonly wanted: string } {
  if (n % 3 === 0) return { asked: `INSERT INTO ${table} (id, v) VALUES (${n}, 'good')`, wanted: "1 row" };
  if (n % 3 === 1) return { asked: `SELECT 'mine ${n}' AS x`, wanted: `mine ${n}` };
  return { asked: `${counting} AS x FROM ${table}`, wanted: String(rows) };
}

function isInsert(sql: string): boolean {
  return sql.startsWith("INSERT");
}

function resultOf(sql: string, answer: Answer): string | null {
  if (answer.kind !== "ok") return null;
  return isInsert(sql) ? `${answer.results[0]?.rowCount ?? 0} row` : cellText(onlyRow(answer)?.["x"]);
}

/** After these the statement may have been executed or not, or the failure is not about the statement. */
const noAnswer = new Set(["rate", "timeout", "reset", "cut", "unreachable", "unavailable", "aborted"]);

/** The good statements that went wrong. */
export function wrongOnes(good: readonly Good[]): readonly Good[] {
  const gotNoAnswer = (one: Good): boolean => one.got === null && noAnswer.has(one.failure);
  // An insert without an answer may have been executed, so later counts may be one row higher.
  const firstLost = good.findIndex((one) => gotNoAnswer(one) && isInsert(one.asked));
  const maySeeLostRow = (one: Good, at: number): boolean =>
    one.got !== null && firstLost !== -1 && at > firstLost && one.asked.startsWith(counting);
  return good.filter((one, at) => one.got !== one.wanted && !gotNoAnswer(one) && !maySeeLostRow(one, at));
}
