/** Values of every type, NULLs and a large text: inserted, changed beside it, and set to NULL. */
import type { Context } from "../../../../src/check.ts";
import { cellText, saidOf, type Account, type Said, type Target } from "../../../../src/server/target.ts";
import { edgeTypes } from "../../../validation/types-round-trip/edge-values.ts";
import { fenceArrives, follow } from "../../../vocabulary/following.ts";
import { createTable, readTable } from "../../../vocabulary/tables.ts";
import { cellsOf, inSpan, isAnswered, isInSpan, rowsByKey, toldBy, type Rows, type Told } from "../told-rows.ts";
import { fence, planFrom, settled, type Followed, type Step } from "./writing.ts";
import { waySpan } from "./ways.ts";

/** The values of one type, as literals, in a column of its own. */
interface TypeColumn {
  readonly type: string;
  readonly column: string;
  readonly literals: readonly string[];
  readonly base: number;
}

/** `n` of a row: it stays as it was inserted; it is changed beside the value; its value is set to NULL. */
const [stays, changes, empties] = [0, 1, 2];
const changedTo = 3;

const nullBase = waySpan;
const largeBase = 2 * waySpan;

function typeColumns(valuesMax: number): TypeColumn[] {
  const types = edgeTypes.filter(({ isKey }) => isKey !== true);
  return types.map(({ type, values }, at) => ({
    type,
    column: `c${at}`,
    literals: values
      .flatMap(({ literal, mayRefuse }) => (literal === undefined || mayRefuse === true ? [] : [literal]))
      .slice(0, valuesMax),
    base: (3 + at) * waySpan,
  }));
}

interface TypedRow {
  readonly key: number;
  readonly n: number;
  readonly column: string;
  readonly literal: string;
}

/** Of each value a row that stays and one that is changed beside it; of the first value one that is set to NULL. */
function rowsOfValues({ column, literals, base }: TypeColumn): TypedRow[][] {
  return literals.map((literal, at) =>
    [stays, changes, ...(at === 0 ? [empties] : [])].map((n) => ({ key: base + 3 * at + 1 + n, n, column, literal })),
  );
}

/** Fewer rows than a connection of KalamDB queues. */
const rowsPerInsert = 60;

interface Parties {
  readonly op: Account;
  readonly as: Account;
  readonly table: string;
}

/** Makes the table; returns the types that it has, and what became of the others. */
async function makeTyped(
  target: Target,
  context: Context,
  { op, table }: Parties,
  all: readonly TypeColumn[],
): Promise<{ readonly columns: readonly TypeColumn[]; readonly refused: ReadonlyMap<TypeColumn, Said> }> {
  const base = "id BIGINT PRIMARY KEY, n INT, large TEXT";
  const list = all.map(({ column, type }) => `${column} ${type}`).join(", ");
  const whole = await target.sql(op, createTable(table, { columns: `${base}, ${list}` }));
  const refused = new Map<TypeColumn, Said>();
  if (whole.kind === "ok") return { columns: all, refused };
  context.need(await target.sql(op, createTable(table, { columns: base })), `the table ${table} could not be made`);
  for (const one of all) {
    const said = saidOf(await target.sql(op, `ALTER TABLE ${table} ADD COLUMN ${one.column} ${one.type}`));
    if (said.kind !== "ok") refused.set(one, said);
  }
  return { columns: all.filter((one) => !refused.has(one)), refused };
}

/** What became of a type: the rows that were inserted, or the refusal of all. */
interface Inserted {
  readonly said: Said;
  readonly rows: readonly TypedRow[];
}

/** Inserts some types in one statement; if it is refused, each value in one of its own. */
async function insertTypes(
  target: Target,
  { as, table }: Parties,
  columns: readonly TypeColumn[],
): Promise<Map<TypeColumn, Inserted>> {
  const insert = async (rows: readonly TypedRow[]): Promise<Said> => {
    const names = [...new Set(rows.map(({ column }) => column))];
    const lines = rows.map(({ key, n, column, literal }) =>
      [key, n, ...names.map((name) => (name === column ? literal : "NULL"))].join(", "),
    );
    const values = lines.map((line) => `(${line})`).join(", ");
    return saidOf(await target.sql(as, `INSERT INTO ${table} (id, n, ${names.join(", ")}) VALUES ${values}`));
  };
  const inserted = new Map<TypeColumn, Inserted>();
  for (const some of groupsOf(columns)) {
    const together = await insert(some.flatMap(rowsOfValues).flat());
    // What may have been executed is not sent again.
    const isDone = together.kind === "ok" || !isAnswered(together);
    for (const one of some) {
      if (isDone) {
        inserted.set(one, { said: together, rows: rowsOfValues(one).flat() });
        continue;
      }
      const each: Inserted[] = [];
      for (const rows of rowsOfValues(one)) each.push({ said: await insert(rows), rows });
      const there = each.filter(({ said }) => said.kind === "ok" || !isAnswered(said));
      const unsure = there.find(({ said }) => said.kind !== "ok");
      const { said } = unsure ?? there[0] ?? each[0] ?? { said: together };
      inserted.set(one, { said, rows: there.flatMap(({ rows }) => rows) });
    }
  }
  return inserted;
}

function groupsOf(columns: readonly TypeColumn[]): TypeColumn[][] {
  const groups: TypeColumn[][] = [];
  let rows = rowsPerInsert;
  for (const one of columns) {
    const count = rowsOfValues(one).flat().length;
    rows += count;
    if (rows > rowsPerInsert) {
      groups.push([]);
      rows = count;
    }
    groups.at(-1)?.push(one);
  }
  return groups;
}

/** The end of the names of steps that look at the same rows once more. */
export const bySnapshot = ", read by a snapshot";

/** Sizes: values of each type, and characters of the large text. */
export interface Sizes {
  readonly values: number;
  readonly largeChars: number;
}

export async function writeTyped(target: Target, context: Context, parties: Parties, sizes: Sizes): Promise<Followed> {
  const { as, table } = parties;
  const { columns, refused } = await makeTyped(target, context, parties, typeColumns(sizes.values));
  const { live, subscription } = context.need(
    await follow(target, as, `SELECT * FROM ${table}`),
    `${table} could not be followed`,
  );
  const inserted = await insertTypes(target, parties, columns);
  const send = async (sql: string): Promise<Said> => saidOf(await target.sql(as, sql));
  const nulls = await send(
    `INSERT INTO ${table} (id, n) VALUES (${nullBase + 1}, ${stays}), (${nullBase + 2}, ${changes})`,
  );
  const large = "large 0123456789 ".repeat(Math.ceil(sizes.largeChars / 17)).slice(0, sizes.largeChars);
  const larges: Said[] = [];
  for (const n of [stays, changes])
    larges.push(await send(`INSERT INTO ${table} (id, n, large) VALUES (${largeBase + 1 + n}, ${n}, '${large}')`));
  const beside = await send(`UPDATE ${table} SET n = ${changedTo} WHERE n = ${changes}`);
  const nothing = columns.map(({ column }) => `${column} = NULL`).join(", ");
  const emptied = await send(`UPDATE ${table} SET ${nothing} WHERE n = ${empties}`);
  await send(`INSERT INTO ${table} (id, large) VALUES (${fence.id}, '${fence.v}')`);
  const fenced = await fenceArrives(subscription, "large", fence.v);

  const typeSteps = columns.map((one) => {
    const { said = beside, rows = [] } = inserted.get(one) ?? {};
    const plan = rows.map(({ key, n }) => [key, n === stays ? 1 : 2] as const);
    const isOptional = said.kind !== "ok";
    return {
      way: `values of ${one.type}`,
      base: one.base,
      said: firstFailed([said, beside], emptied),
      isOptional,
      plan,
    };
  });
  const own = [
    {
      way: "NULLs",
      base: nullBase,
      said: firstFailed([nulls], beside),
      plan: [
        [nullBase + 1, 1],
        [nullBase + 2, 2],
      ] as const,
    },
    {
      way: `a text of ${sizes.largeChars.toLocaleString("en-US")} characters`,
      base: largeBase,
      said: firstFailed(larges, beside),
      plan: [
        [largeBase + 1, 1],
        [largeBase + 2, 2],
      ] as const,
    },
  ].map((one) => ({ ...one, isOptional: false }));
  const all = [...own, ...typeSteps];
  const names = ["id", "n", "large", ...columns.map(({ column }) => column)];
  const look = async (): Promise<Step[]> => {
    const told = toldBy(subscription);
    const whole = await readRows(target, as, table, names);
    const steps: Step[] = [];
    for (const { way, base, said, isOptional, plan } of all) {
      // One value may make the whole result unreadable.
      const range = `id >= ${base} AND id < ${base + waySpan}`;
      const after = whole ?? (await readRows(target, as, table, names, range));
      if (after === null) continue;
      steps.push({
        table: "USER",
        way,
        isOptional,
        said,
        plan: Object.fromEntries(plan),
        before: {},
        after: inSpan(after, base, waySpan),
        told: told.filter(({ key }) => isInSpan(key, base, waySpan)),
      });
    }
    return steps;
  };
  const steps = (await settled(context, look, fenced)) ?? [];
  // The same rows once more, by the snapshot of a new subscription.
  const again = context.need(
    await follow(target, as, `SELECT * FROM ${table}`),
    `${table} could not be followed a second time`,
  );
  live.close();
  again.live.close();
  const shown = again.rows.map((row): Told => ({ kind: "insert", key: cellText(row["id"]), row: cellsOf(row) }));
  const inSnapshots = steps.map((step) => ({
    ...step,
    way: `${step.way}${bySnapshot}`,
    plan: Object.fromEntries(Object.keys(step.plan).map((key) => [key, 1])),
    told: shown.filter(({ key }) => step.plan[key] !== undefined),
  }));
  const missing = [...refused].map(([{ type, base }, said]) => refusedStep(`values of ${type}`, base, said));
  return { steps: [...steps, ...inSnapshots, ...missing], fenced, exchange: subscription.exchange };
}

/** The first that was not done; the last where all were. */
function firstFailed(others: readonly Said[], last: Said): Said {
  return others.find(({ kind }) => kind !== "ok") ?? last;
}

function refusedStep(way: string, base: number, said: Said): Step {
  return { table: "USER", way, isOptional: true, said, plan: planFrom(base, {}), before: {}, after: {}, told: [] };
}

async function readRows(
  target: Target,
  as: Account,
  table: string,
  columns: readonly string[],
  where?: string,
): Promise<Rows | null> {
  const rows = await readTable(target, as, table, columns, where);
  return rows === null ? null : rowsByKey(rows);
}
