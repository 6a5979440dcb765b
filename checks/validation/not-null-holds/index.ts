import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import { cellText, type Account, type Target } from "../../../src/server/target.ts";
import { sortTried, tryAll, whyUnclear, type Tried } from "../../vocabulary/trials.ts";

/** So many that a server which goes through them in any order, up to the bad one, will hardly ever begin with that. */
const many = Array.from({ length: 40 }, (_, at) => 50 + at);
/** The table has the columns id (key), must TEXT NOT NULL, num INT NOT NULL, may TEXT. `ids`: of the rows that it would make. */
const cases: readonly {
  readonly name: string;
  readonly sql: (table: string) => string;
  readonly params?: readonly Json[];
  readonly ids: readonly number[];
}[] = [
  { name: "text left out", sql: (t) => `INSERT INTO ${t} (id, num) VALUES (10, 1)`, ids: [10] },
  { name: "number left out", sql: (t) => `INSERT INTO ${t} (id, must) VALUES (11, 'x')`, ids: [11] },
  { name: "key left out", sql: (t) => `INSERT INTO ${t} (must, num) VALUES ('x', 1)`, ids: [] },
  { name: "NULL", sql: (t) => `INSERT INTO ${t} (id, must, num) VALUES (12, NULL, 1)`, ids: [12] },
  {
    name: "NULL as a parameter",
    sql: (t) => `INSERT INTO ${t} (id, must, num) VALUES ($1, $2, $3)`,
    params: [13, null, 1],
    ids: [13],
  },
  { name: "NULL key", sql: (t) => `INSERT INTO ${t} (id, must, num) VALUES (NULL, 'x', 1)`, ids: [] },
  {
    name: "NULL among many",
    sql: (t) => `INSERT INTO ${t} (id, must, num) VALUES (14, 'a', 1), (15, NULL, 1), (16, 'c', 1)`,
    ids: [14, 15, 16],
  },
  { name: "NULL from a SELECT", sql: (t) => `INSERT INTO ${t} (id, must, num) SELECT 17, NULL, 1`, ids: [17] },
  {
    name: "NULL in a transaction",
    sql: (t) =>
      `BEGIN; INSERT INTO ${t} (id, must, num) VALUES (18, 'a', 1); INSERT INTO ${t} (id, must, num) VALUES (19, NULL, 1); COMMIT`,
    ids: [18, 19],
  },
  { name: "UPDATE to NULL", sql: (t) => `UPDATE ${t} SET must = NULL WHERE id = 1`, ids: [1] },
  {
    name: "UPDATE to NULL as a parameter",
    sql: (t) => `UPDATE ${t} SET num = $1 WHERE id = 2`,
    params: [null],
    ids: [2],
  },
  {
    name: "UPDATE of one among many",
    sql: (t) => `UPDATE ${t} SET must = CASE WHEN id = 70 THEN NULL ELSE 'z' END WHERE id BETWEEN 50 AND 89`,
    ids: many,
  },
];
const kinds = ["USER", "SHARED"] as const;
type Row = readonly (string | null)[];
/** Empty text and zero are values; they must be accepted and stay what they are. */
export const standing: readonly Row[] = [
  ["1", "one", "1", null],
  ["2", "", "0", null],
  ...many.map((id) => [String(id), "m", "5", null]),
];
/** Of the rows that a statement changed, so many are shown. */
const shownMax = 3;

type Seen = {
  readonly kind: string;
  readonly tried: readonly Tried[];
  /** What is there afterwards; null where it could not be read. */
  readonly rows: readonly Row[] | null;
  readonly proper: readonly Tried[];
};

async function look(target: Target, as: Account, kind: (typeof kinds)[number], table: string): Promise<Seen> {
  const written = standing.map(([id, must, num]) => `(${id ?? ""}, '${must ?? ""}', ${num ?? ""})`);
  await target.sql(as, `INSERT INTO ${table} (id, must, num) VALUES ${written.join(", ")}`);
  const trials = cases.map(({ name, sql, params }) => ({
    name,
    as,
    sql: sql(table),
    ...(params === undefined ? {} : { params }),
  }));
  const tried = await tryAll(target, trials);
  const answer = await target.sql(as, `SELECT id, must, num, may FROM ${table} ORDER BY id LIMIT 200`);
  const rows =
    answer.kind === "ok"
      ? (answer.results[0]?.rows.map((row) => row.map((cell) => (cell === null ? null : cellText(cell)))) ?? null)
      : null;
  const proper = await tryAll(target, [
    { name: "proper INSERT", as, sql: `INSERT INTO ${table} (id, must, num) VALUES (30, 'z', 3)` },
    { name: "proper UPDATE", as, sql: `UPDATE ${table} SET must = 'two' WHERE id = 2` },
  ]);
  return { kind, tried, rows, proper };
}

export const notNullHolds = defineCheck({
  id: "validation/not-null-holds",
  title: "A column declared NOT NULL never goes without a value",
  failureTitle: "A NOT NULL column can be left without a value",
  description: `Tries to leave NOT NULL columns and the key without a value in ${cases.length} ways (left out, NULL as a literal and as a parameter, one NULL among many rows, by UPDATE, from a SELECT, in a transaction), on a USER table as a plain user and on a SHARED table. Each must be refused, and exactly the rows written properly must be there. Empty text and 0 are values and must be taken.`,
  blindTo:
    "It does not add a NOT NULL column to a table that has rows; durability/schema-survives-restart looks at altered tables.",
  risk: "Rows without an owner, an amount or a date get in, or get one that nobody gave, and break what reads them much later.",
  remedy: "Give every NOT NULL column a value in each INSERT, and declare a DEFAULT where leaving it out is meant.",
  covers: ["VAL-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 500,
  estimateRequests: kinds.length * (cases.length + 5),
  findings: {
    accepted: {
      say: (d: { case: string; kind: string; sql: string; stored: readonly string[] }) =>
        `${d.sql} was accepted on a ${d.kind} table${d.stored.length === 0 ? "" : `; there is now ${d.stored.join(", ")}`}`,
    },
    partial: {
      say: (d: { case: string; kind: string; sql: string; stored: readonly string[] }) =>
        `${d.sql} was refused on a ${d.kind} table, and changed it all the same: ${d.stored.join(", ")}`,
    },
  },
  async observe(target, { scratch }) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const columns = "(id BIGINT PRIMARY KEY, must TEXT NOT NULL, num INT NOT NULL, may TEXT)";
    await target.sql(op, `CREATE TABLE ${scratch}.mine ${columns} WITH (TYPE='USER')`);
    await target.sql(op, `CREATE TABLE ${scratch}.shared ${columns} WITH (TYPE='SHARED')`);
    const tables: readonly Seen[] = await Promise.all([
      look(target, user, "USER", `${scratch}.mine`),
      look(target, op, "SHARED", `${scratch}.shared`),
    ]);
    return { tables };
  },
  judge({ tables }) {
    const found = tables.flatMap(({ kind, tried, rows }) => {
      const { accepted, refused } = sortTried(tried);
      const explained = new Set(accepted.flatMap((one) => idsOf(one.case)));
      const entry = (name: "accepted" | "partial", one: Tried, strange: readonly Row[]) => ({
        name,
        case: `${one.case}, ${kind}`,
        data: { case: one.case, kind, sql: one.sql, stored: shownOf(strange) },
        sent: [one.said.exchange],
      });
      return [
        ...accepted.map((one) => entry("accepted", one, strangeRows(rows ?? [], one.case))),
        ...refused.flatMap((one) => {
          const own = strangeRows(rows ?? [], one.case).filter((row) => !explained.has(Number(row[0])));
          return idsOf(one.case).length === 0 || own.length === 0 ? [] : [entry("partial", one, own)];
        }),
      ];
    });
    if (found.length > 0) return fail(...found);
    if (tables.length < kinds.length)
      return unknown(`only ${tables.length} of ${kinds.length} kinds of table were tried`);
    for (const { kind, tried, rows, proper } of tables) {
      if (rows === null) return unknown(`the rows of the ${kind} table could not be read afterwards`);
      if (JSON.stringify(rows) !== JSON.stringify(standing))
        return unknown(
          `the rows to begin with are not those that were written to the ${kind} table: ${JSON.stringify(rows).slice(0, 300)}`,
        );
      const why = whyUnclear(sortTried(tried));
      if (why !== undefined) return unknown(`${kind} table, ${why}`);
      if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} ways were tried`);
      const dead = proper.find(({ said }) => said.kind !== "ok");
      if (dead !== undefined || proper.length < 2)
        return unknown(
          `a ${dead?.case ?? "proper write"} does not work on the ${kind} table either: ${dead?.said.message ?? ""}`,
        );
    }
    return pass(
      `${kinds.length * cases.length} of ${kinds.length * cases.length} ways refused on ${kinds.join(" and ")} tables, only the proper rows are there`,
    );
  },
});

function shownOf(rows: readonly Row[]): readonly string[] {
  const shown = rows.slice(0, shownMax).map((row) => JSON.stringify(row));
  return rows.length > shownMax ? [...shown, `and ${rows.length - shownMax} more`] : shown;
}

function idsOf(name: string): readonly number[] {
  return cases.find((one) => one.name === name)?.ids ?? [];
}

/** Of the rows that are not as they were written, those that this case made or changed: where it names no key, those of no case. */
function strangeRows(rows: readonly Row[], name: string): readonly Row[] {
  const ids = idsOf(name);
  const named = new Set(cases.flatMap((one) => one.ids));
  const isOwn = (id: number): boolean => (ids.length === 0 ? !named.has(id) : ids.includes(id));
  return rows.filter(
    (row) => isOwn(Number(row[0])) && !standing.some((old) => JSON.stringify(old) === JSON.stringify(row)),
  );
}
