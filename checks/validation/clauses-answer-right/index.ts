import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import {
  cellText,
  isCleanRefusal,
  saidOf,
  type Account,
  type Answer,
  type Said,
  type Target,
  truncated,
} from "../../../src/server/target.ts";
import { flushAll, whyNotFlushed } from "../../vocabulary/jobs.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import {
  changes,
  clauses as firstClauses,
  defaultsColumns,
  filled,
  filling,
  orders,
  ordersColumns,
  ordersLeft,
  people,
  peopleColumns,
  peopleLeft,
} from "./clauses.ts";
import type { Cell, Clause } from "./clause.ts";
import { moreClauses, values, valuesColumns, valuesLeft } from "./more-clauses.ts";

const readerCount = 4;
const clauses = [...firstClauses, ...moreClauses];
const all = [...clauses, ...filled];
/** Fewer are no selection of what SQL has. */
const clausesMin = 30;
/** Where the rows are: half of them flushed at every effort; the others only take time. */
const storages = ["mixed", "in memory", "flushed"] as const;

type Rows = readonly (readonly Cell[])[];
type Asked = {
  readonly clause: string;
  readonly storage: string;
  readonly sql: string;
  readonly said: Said;
  readonly rows: Rows | null;
  /** Asked a second time where the first answer was wrong. */
  readonly again: Rows | null;
};

type Data = {
  readonly clause: string;
  readonly storage: string;
  readonly sql: string;
  readonly got: string;
  readonly expected: string;
  readonly again: string;
};

export const clausesAnswerRight = defineCheck({
  id: "validation/clauses-answer-right",
  title: "Each SQL clause gives the right answer",
  failureTitle: "An SQL clause gives a wrong answer",
  description: `Asks ${all.length} small queries whose answers are known, one for each clause (a third of them at light effort): comparisons, AND, OR, NOT, NULL, IN, BETWEEN, LIKE, EXISTS, ORDER BY, LIMIT and OFFSET, DISTINCT, aggregates, GROUP BY and HAVING, every kind of JOIN, NULLs in joins and subqueries, times, texts beyond ASCII, UNION, INTERSECT and EXCEPT, CASE, functions, subqueries, WITH, window functions, parameters, DEFAULT, ADD COLUMN. Half of the rows are flushed, and some were updated and deleted since. A wrong answer is asked for a second time, and both are reported.`,
  blindTo:
    "One small query for each clause: combinations of clauses, large tables and other types may still be wrong (validation/predicates-partition-rows tries random conditions).",
  risk: "Reports, pages and decisions rest on wrong answers, and nothing reports an error.",
  remedy: "Avoid the clause on this server, and compute what it gives in the program.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: all.length + filling.length + 20,
  timeoutMs: 120_000,
  findings: {
    wrongAnswer: {
      say: (d: Data) =>
        `${d.clause}: ${d.sql} returned ${d.got}, expected ${d.expected} (rows ${d.storage}${d.again === "" ? "" : `; asked again: ${d.again}`})`,
    },
    refused: {
      say: (d: { clause: string; sql: string; message: string }) => `${d.clause}: ${d.sql} was refused: ${d.message}`,
      level: "warn",
      risk: "Programs and tools that use the clause do not work with this server.",
      remedy: "Do without the clause, or use a version of KalamDB that has it.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const readers = await Promise.all(
      Array.from({ length: readerCount }, async (_, at) => await target.account("service", `reader ${at}`)),
    );
    const asked: Asked[] = [];
    const others: string[] = [];
    const wanted = context.size({ light: 1, standard: 3, deep: 3 });
    const some = [firstClauses, moreClauses].flatMap((each) =>
      sampleAtLight(context, each, 3, ({ sql }) => /LEFT JOIN|OVER \(ORDER BY/.test(sql)),
    );
    for (const storage of storages.slice(0, wanted)) {
      const [p, o, v] = await makeRows(target, context, op, storage);
      const odd = await whyOtherRows(target, op, [
        [p, "SELECT id, city, n FROM {t} ORDER BY id", peopleLeft],
        [v, "SELECT id, k FROM {t} ORDER BY id", valuesLeft],
        [o, "SELECT id, item FROM {t} ORDER BY id", ordersLeft],
      ]);
      if (odd !== null) {
        others.push(`${storage}: ${odd}`);
        continue;
      }
      const parts = readers.map((as, at) => ({ as, share: some.filter((_, n) => n % readerCount === at) }));
      const answers = await Promise.all(
        parts.map(
          async ({ as, share }) => await askAll(target, as, share, { storage, fill: { "{p}": p, "{o}": o, "{v}": v } }),
        ),
      );
      asked.push(...answers.flat());
    }
    const t = await makeTable(target, context, op, `${context.scratch}.filled`, {
      type: "SHARED",
      columns: defaultsColumns,
    });
    for (const sql of filling)
      context.need(await target.sql(op, sql.replaceAll("{t}", t)), `the table could not be filled by ${sql}`);
    asked.push(...(await askAll(target, op, filled, { storage: "in memory", fill: { "{t}": t } })));
    return { asked, others, wanted: [...some, ...filled].map(({ name }) => name) };
  },
  judge({ asked, others, wanted }, { found }) {
    for (const { clause: name, storage, sql, said, rows, again } of asked) {
      const clause = all.find((one) => one.name === name);
      const shown = { case: storage === "mixed" ? name : `${name}, ${storage}`, sent: said };
      if (clause === undefined) continue;
      if (rows !== null && !isAnswer(rows, clause))
        found.wrongAnswer(
          {
            clause: name,
            storage,
            sql,
            got: text(rows),
            expected: text(clause.rows),
            again: again === null ? "" : isAnswer(again, clause) ? "as expected" : text(again),
          },
          shown,
        );
      if (isCleanRefusal(said)) found.refused({ clause: name, sql, message: truncated(said.message, 200) }, shown);
    }
    const [other] = others;
    if (other !== undefined)
      return unknown(`rows ${other} (validation/writes-hit-their-rows judges that, so the clauses were not asked)`);
    const open = asked.find(({ said, rows }) => rows === null && !isCleanRefusal(said));
    if (open !== undefined)
      return unknown(`${open.clause}: not answered: ${open.said.status ?? open.said.why} ${open.said.message}`);
    const missing = wanted.find((name) => !asked.some(({ clause }) => clause === name));
    if (missing !== undefined) return unknown(`${missing} was not asked`);
    if (wanted.length < clausesMin) return unknown(`only ${wanted.length} of ${all.length} clauses were asked`);
    const places = [...new Set(asked.map(({ storage }) => storage))];
    return pass(
      `${asked.length} queries for ${wanted.length} of ${all.length} clauses exact, rows ${places.join(", ")}`,
    );
  },
});

/** Makes the three tables with their rows; returns their names. */
async function makeRows(
  target: Target,
  context: Context,
  op: Account,
  storage: (typeof storages)[number],
): Promise<readonly [string, string, string]> {
  const { scratch, need } = context;
  const suffix = storage.replace(" ", "_");
  const sharing = { readers: ["service"] } as const;
  const p = await sharedTable(target, context, op, `${scratch}.people_${suffix}`, {
    columns: peopleColumns,
    ...sharing,
  });
  const o = await sharedTable(target, context, op, `${scratch}.orders_${suffix}`, {
    columns: ordersColumns,
    ...sharing,
  });
  const v = await sharedTable(target, context, op, `${scratch}.values_${suffix}`, {
    columns: valuesColumns,
    ...sharing,
  });
  const insert = async (which: "flushed" | "hot"): Promise<void> => {
    const inserts = (
      [
        [p, "id, name, city, n, d, ok, big", people[which]],
        [o, "id, who, item, cost", orders[which]],
        [v, "id, t, at, day, price, k", values[which]],
      ] as const
    ).map(([table, columns, rows]) => `INSERT INTO ${table} (${columns}) VALUES ${rows.join(", ")}`);
    need(await target.sql(op, inserts.join("; ")), "the rows could not be written");
  };
  const flushAllThree = async (): Promise<void> => {
    const tables = [p, o, v];
    for (const [at, flushed] of (await flushAll(target, context, op, tables)).entries()) {
      const why = whyNotFlushed(flushed);
      need(why === undefined ? { kind: "ok" } : { why }, `${tables[at] ?? ""} could not be flushed`);
    }
  };
  await insert("flushed");
  if (storage !== "in memory") await flushAllThree();
  await insert("hot");
  need(await target.sql(op, changes.join("; ").replaceAll("{p}", p)), "the rows could not be changed");
  if (storage === "flushed") await flushAllThree();
  return [p, o, v];
}

/** Where the tables hold other rows than were written, each clause would be blamed for it; null if they are right. */
async function whyOtherRows(
  target: Target,
  as: Account,
  tables: readonly (readonly [table: string, sql: string, rows: Rows])[],
): Promise<string | null> {
  for (const [table, sql, rows] of tables) {
    const seen = cellsIn(await target.sql(as, sql.replace("{t}", table)));
    if (seen === null) return `${table} could not be read`;
    if (!isAnswer(seen, { rows })) return `${table} has the rows ${text(seen)}, written were ${text(rows)}`;
  }
  return null;
}

async function askAll(
  target: Target,
  as: Account,
  some: readonly Clause[],
  { storage, fill }: { readonly storage: string; readonly fill: Readonly<Record<string, string>> },
): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const clause of some) {
    const sql = clause.sql.replace(/\{\w\}/g, (name) => fill[name] ?? name);
    const ask = async (): Promise<Answer> =>
      await target.sql(as, sql, clause.params === undefined ? {} : { params: clause.params });
    const answer = await ask();
    const rows = cellsIn(answer);
    const again = rows === null || isAnswer(rows, clause) ? null : cellsIn(await ask());
    asked.push({ clause: clause.name, storage, sql, said: saidOf(answer), rows, again });
  }
  return asked;
}

/** Rows as text; null if the answer is not one result with columns. */
function cellsIn(answer: Answer): Rows | null {
  const [result] = answer.kind === "ok" ? answer.results : [];
  if (result === undefined || result.columns.length === 0) return null;
  return result.rows.map((row) => row.map((cell) => (cell === null ? null : cellText(cell))));
}

function isAnswer(rows: Rows, { rows: expected, ordered }: Pick<Clause, "rows" | "ordered">): boolean {
  if (rows.length !== expected.length) return false;
  const [got, wanted] = ordered === true ? [rows, expected] : [sorted(rows), sorted(expected)];
  return got.every((row, at) => {
    const other = wanted[at] ?? [];
    return row.length === other.length && row.every((cell, n) => isSame(cell, other[n] ?? null));
  });
}

function sorted(rows: Rows): Rows {
  const texts = rows.map((row) => JSON.stringify(row)).toSorted();
  return texts.map((row) => JSON.parse(row) as Rows[number]);
}

/** How a fraction is written is the server's choice. */
function isSame(cell: Cell, wanted: Cell): boolean {
  if (cell === wanted || cell === null || wanted === null) return cell === wanted;
  return /[.e]/i.test(cell + wanted) && Math.abs(Number(cell) - Number(wanted)) < 1e-9;
}

function text(rows: Rows): string {
  const shown = rows.slice(0, 9).map((row) => row.map((cell) => cell ?? "NULL").join(" "));
  return rows.length === 0 ? "no rows" : `${shown.join(", ")}${rows.length > 9 ? `, … (${rows.length} rows)` : ""}`;
}
