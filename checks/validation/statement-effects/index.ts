/** The workload that two checks judge: statements one after another, and what the table holds and counts after each. */
import { defineObservation, type Context } from "../../../src/check.ts";
import {
  cellText,
  integerText,
  onlyRow,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";
import { flush, whyNotFlushed } from "../../vocabulary/jobs.ts";
import { afterAWhile } from "../../vocabulary/looking-again.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { columns, differingKeys, statements, statementsFor, type Rows, type Statement } from "./statements.ts";

/** A lagging read would be another defect: what differs from the model is read again after this time. */
const againAfterMs = 400;

/** What COUNT says, and how it was asked. */
export type Counted = { readonly sql: string; readonly count: string | null; readonly exchange: number };

/** One statement, or a flush. `after`: the rows by a SELECT, the last of two where the first was not as expected; null if unread. */
export type Step = {
  readonly name: string;
  readonly sql: string;
  readonly said: Said;
  /** Null for a flush. */
  readonly rowCount: number | null;
  /** Of a flush: why it is not known to have completed. */
  readonly notFlushed: string | null;
  readonly before: Rows;
  readonly after: Rows | null;
  /** A second SELECT returned other rows than the first. */
  readonly unsteady: boolean;
  /** Where a count is not that of the rows, it was asked for again; this is the last answer. */
  readonly counts: readonly Counted[];
};

export type Table = {
  readonly kind: "USER" | "SHARED";
  /** How many statements were to be tried. */
  readonly planned: number;
  readonly steps: readonly Step[];
};

export type Effects = { readonly tables: readonly Table[] };

export const statementEffects = defineObservation<Effects>({
  id: "validation/statement-effects",
  touches: "scratch",
  needs: ["dba"],
  estimateMs: 1_200,
  estimateRequests: 2 * 4 * statements.length + 10,
  timeoutMs: 120_000,
  async observe(target, context) {
    const [op, user, service] = await Promise.all([
      target.account("dba"),
      target.account("user", "effects"),
      target.account("service", "effects"),
    ]);
    const kinds = [
      { kind: "USER", as: user },
      { kind: "SHARED", as: service },
    ] as const;
    const tables = await Promise.all(kinds.map(async (one) => await tryStatements(target, context, op, one)));
    return { tables };
  },
});

async function tryStatements(
  target: Target,
  context: Context,
  op: Account,
  { kind, as }: { readonly kind: "USER" | "SHARED"; readonly as: Account },
): Promise<Table> {
  const name = `${context.scratch}.${kind.toLowerCase()}_rows`;
  const table =
    kind === "SHARED"
      ? await sharedTable(target, context, op, name, { columns, writers: ["service"] })
      : await makeTable(target, context, op, name, { columns });
  const planned = statementsFor(kind, context);
  const steps: Step[] = [];
  let before: Rows = {};
  for (const [at, statement] of planned.entries()) {
    const step = await tryStatement(target, context, {
      op,
      as,
      table,
      statement,
      at: at + (kind === "USER" ? 0 : 1),
      before,
    });
    steps.push(step);
    if (step.notFlushed !== null || step.said.kind === "unsure" || step.after === null) break;
    // Without a look after each statement, its effects would be taken for those of the next.
    before = step.after;
  }
  return { kind, planned: planned.length, steps };
}

interface Trying {
  readonly op: Account;
  readonly as: Account;
  readonly table: string;
  readonly statement: Statement;
  /** Its place among the statements; of another table by one further. */
  readonly at: number;
  readonly before: Rows;
}

async function tryStatement(
  target: Target,
  context: Context,
  { op, as, table, statement, at, before }: Trying,
): Promise<Step> {
  const { name, effect } = statement;
  const sql = statement.sql(table);
  const done =
    statement.flushes === true ? await flushed(target, context, op, table) : await sent(target, as, sql, statement);
  const expected = effect(before);
  const look = async (): Promise<Rows | null> => await readRows(target, as, table);
  const first = await look();
  const isExpected = (rows: Rows | null): boolean => rows !== null && differingKeys(rows, expected).length === 0;
  const after = isExpected(first) ? first : await afterAWhile(context, look, againAfterMs);
  const counts: Counted[] = [];
  // At light effort one of the two, in turns, and only where the number of rows may have changed, every second time, or is large.
  const isAtLight = context.effort === "light";
  const isLarge = Object.keys(expected).length > 100;
  const isCounted = !isAtLight || isLarge || (!name.startsWith("UPDATE") && at % 2 === 0);
  const turn = isLarge ? at % 2 : (at / 2) % 2;
  const wheres = ["", " WHERE id > -1000000"].filter((_, n) => isCounted && (!isAtLight || n === turn));
  for (const where of wheres) {
    const count = async (): Promise<Counted> =>
      await readCount(target, as, `SELECT COUNT(*) AS c FROM ${table}${where}`);
    const once = await count();
    const isRight = after === null || once.count === String(Object.keys(after).length);
    counts.push(isRight ? once : await afterAWhile(context, count, againAfterMs));
  }
  return {
    name,
    sql,
    ...done,
    before,
    after,
    unsteady: after !== first && JSON.stringify(after) !== JSON.stringify(first),
    counts,
  };
}

type Done = Pick<Step, "said" | "rowCount" | "notFlushed">;

async function sent(target: Target, as: Account, sql: string, { params }: Statement): Promise<Done> {
  const answer = await target.sql(as, sql, params === undefined ? {} : { params });
  const rowCount = answer.kind === "ok" ? (answer.results[0]?.rowCount ?? null) : null;
  return { said: saidOf(answer), rowCount, notFlushed: null };
}

async function flushed(target: Target, context: Context, op: Account, table: string): Promise<Done> {
  const outcome = await flush(target, context, op, table);
  return { said: outcome.said, rowCount: null, notFlushed: whyNotFlushed(outcome) ?? null };
}

async function readRows(target: Target, as: Account, table: string): Promise<Rows | null> {
  const rows = rowsOf(await target.sql(as, `SELECT id, name, n, note FROM ${table} ORDER BY id LIMIT 200`));
  const text = (cell: Parameters<typeof cellText>[0]): string | null =>
    cell === null || cell === undefined ? null : cellText(cell);
  return (
    (rows &&
      Object.fromEntries(
        rows.map((row) => [cellText(row["id"]), [text(row["name"]), text(row["n"]), text(row["note"])]]),
      )) ??
    null
  );
}

async function readCount(target: Target, as: Account, sql: string): Promise<Counted> {
  const answer = await target.sql(as, sql);
  return { sql, count: integerText(onlyRow(answer)?.["c"]) ?? null, exchange: answer.exchange };
}

/** The rows that a step must leave; undefined for a step that is not among the statements. */
export function expectedRows({ name, before }: Pick<Step, "name" | "before">): Rows | undefined {
  return statements.find((one) => one.name === name)?.effect(before);
}

/** For `unknown`: why the steps show too little; undefined if they show enough. */
export function whyUnjudged(tables: readonly Table[]): string | undefined {
  if (tables.length < 2) return `only ${tables.length} of 2 tables were tried`;
  for (const { kind, planned, steps } of tables) {
    const open = steps.find(({ notFlushed }) => notFlushed !== null);
    if (open !== undefined) return `${kind}, ${open.name}: ${open.notFlushed ?? ""}`;
    const failed = steps.find(({ said }) => said.kind !== "ok");
    if (failed !== undefined)
      return `${failed.name}, ${kind}: not acknowledged: ${failed.said.status ?? failed.said.why} ${failed.said.message}`;
    const unread = steps.find(({ after, counts }) => after === null || counts.some(({ count }) => count === null));
    if (unread !== undefined) return `${unread.name}, ${kind}: the table could not be read or counted afterwards`;
    const unsteady = steps.find((one) => one.unsteady);
    if (unsteady !== undefined)
      return `${unsteady.name}, ${kind}: two reads of the table differ (validation/reads-are-fresh judges that)`;
    if (steps.length < planned) return `only ${steps.length} of ${planned} statements were tried`;
    const odd = steps.find((step) => differingKeys(step.after ?? {}, expectedRows(step) ?? {}).length > 0);
    if (odd !== undefined)
      return `${odd.name}, ${kind}: the table has other rows than expected (validation/writes-hit-their-rows judges that)`;
  }
  return undefined;
}
