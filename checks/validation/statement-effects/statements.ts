/** Statements that change rows, and what each must leave: a model of a table with the columns id, name, n and note. */
import type { Context } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";

/** Cells as text, null for NULL: name, n, note. */
export type Cells = readonly [name: string | null, n: string | null, note: string | null];
/** Rows by key. */
export type Rows = { readonly [id: string]: Cells };

export interface Statement {
  readonly name: string;
  /** Not sent as it is: its job is waited for. */
  readonly flushes?: true;
  /** Another form of a condition or an assignment, which no type of table makes different: at light effort one table shows it. */
  readonly form?: true;
  /** Not tried at light effort: another statement is much like it. */
  readonly rest?: true;
  readonly sql: (table: string) => string;
  readonly params?: readonly Json[];
  readonly effect: (rows: Rows) => Rows;
}

export const columns = "id BIGINT PRIMARY KEY, name TEXT, n INT, note TEXT";

/** Two keys that are one as doubles. */
export const [large, larger] = ["9007199254740992", "9007199254740993"] as const;

function insert(name: string, rows: Rows, params = false): Statement {
  const all = Object.entries(rows);
  const effect = (before: Rows): Rows => ({ ...before, ...rows });
  if (params) {
    const places = all.map((_, at) => `($${4 * at + 1}, $${4 * at + 2}, $${4 * at + 3}, $${4 * at + 4})`);
    const values = all.flatMap(([id, [text, n, note]]) => [Number(id), text, n === null ? null : Number(n), note]);
    return {
      name,
      sql: (t) => `INSERT INTO ${t} (id, name, n, note) VALUES ${places.join(", ")}`,
      params: values,
      effect,
    };
  }
  const literal = (cell: string | null): string => (cell === null ? "NULL" : `'${cell}'`);
  const values = all.map(([id, [text, n, note]]) => `(${id}, ${literal(text)}, ${n ?? "NULL"}, ${literal(note)})`);
  return { name, sql: (t) => `INSERT INTO ${t} (id, name, n, note) VALUES ${values.join(", ")}`, effect };
}

type Test = (id: string, cells: Cells) => boolean;

function update(name: string, set: string, where: string, chosen: Test, change: (cells: Cells) => Cells): Statement {
  return {
    name,
    sql: (t) => `UPDATE ${t} SET ${set} WHERE ${where}`,
    effect: (rows) =>
      Object.fromEntries(Object.entries(rows).map(([id, cells]) => [id, chosen(id, cells) ? change(cells) : cells])),
  };
}

function remove(name: string, where: string, chosen: Test): Statement {
  return {
    name,
    sql: (t) => `DELETE FROM ${t} WHERE ${where}`,
    effect: (rows) => Object.fromEntries(Object.entries(rows).filter(([id, cells]) => !chosen(id, cells))),
  };
}

const named =
  (text: string): Test =>
  (_, [name]) =>
    name === text;
const keyed =
  (...ids: readonly string[]): Test =>
  (id) =>
    ids.includes(id);
const either =
  (one: Test, other: Test): Test =>
  (id, cells) =>
    one(id, cells) || other(id, cells);
const renamed =
  (text: string | null) =>
  ([, n, note]: Cells): Cells => [text, n, note];
const noted =
  (text: string | null) =>
  ([name, n]: Cells): Cells => [name, n, text];
const numbered =
  (of: (n: number) => number) =>
  ([name, n, note]: Cells): Cells => [name, n === null ? null : String(of(Number(n))), note];
const numberIn =
  (from: number, to: number): Test =>
  (_, [, n]) =>
    n !== null && Number(n) >= from && Number(n) <= to;

const bound = (statement: Statement, sql: (table: string) => string, params: readonly Json[]): Statement => ({
  ...statement,
  sql,
  params,
});

function flushing(name: string): Statement {
  return { name, flushes: true, sql: (t) => `STORAGE FLUSH TABLE ${t}`, effect: (rows) => rows };
}

const asForm = (statement: Statement): Statement => ({ ...statement, form: true });
const asRest = (statement: Statement): Statement => ({ ...statement, rest: true });

/** What is tried on this table: at light effort fewer, and most of them on one table only. */
export function statementsFor(kind: "USER" | "SHARED", { effort }: Pick<Context, "effort">): readonly Statement[] {
  if (effort !== "light") return statements;
  return statements.filter(({ form, rest }) => rest !== true && (form !== true || kind === "USER"));
}

const forms: readonly Statement[] = [
  // Where a key is looked up at once, what is beside it in the condition is easily forgotten.
  update(
    "UPDATE with OR",
    "note = 'either'",
    "id = 11 OR name = 'eve'",
    either(keyed("11"), named("eve")),
    noted("either"),
  ),
  update(
    "UPDATE with AND",
    "note = 'both'",
    "n > 90 AND note IS NULL",
    (_, [, n, note]) => Number(n ?? 0) > 90 && note === null,
    noted("both"),
  ),
  update(
    "UPDATE with NOT",
    "n = n + 3",
    "NOT (n < 90)",
    (_, [, n]) => n !== null && Number(n) >= 90,
    numbered((n) => n + 3),
  ),
  update(
    "UPDATE where NULL",
    "n = 0",
    "n IS NULL",
    (_, [, n]) => n === null,
    ([name, , note]) => [name, "0", note],
  ),
  asRest(
    update(
      "UPDATE with LIKE",
      "note = ''",
      "name LIKE 'larg%'",
      (_, [name]) => name?.startsWith("larg") === true,
      noted(""),
    ),
  ),
  asRest(
    update("UPDATE of two columns", "name = 'Ann the second', n = 25", "id = 2", keyed("2"), ([, , note]) => [
      "Ann the second",
      "25",
      note,
    ]),
  ),
  // Both values are those of before.
  update(
    "UPDATE that swaps columns",
    "name = note, note = name",
    "id IN (1, 12)",
    keyed("1", "12"),
    ([name, n, note]) => [note, n, name],
  ),
].map(asForm);

/** On rows that are in memory. No UPDATE leaves a row as it was: whether that counts as a change is the server's choice. */
const hotStatements: readonly Statement[] = [
  insert("INSERT of one row", { "1": ["ann", "10", "first"] }),
  insert("INSERT of many rows", {
    "2": ["Ann", "20", null],
    "3": ["bob", "30", "x"],
    "4": ["bobby", null, "y"],
    "5": ["cid", "50", null],
    "6": ["dan", "60", ""],
    "7": ["eve", "70", "z"],
    "8": [null, "80", "null"],
    [large]: ["large", "90", null],
    [larger]: ["larger", "100", null],
    "-1": ["minus", "-10", null],
  }),
  insert("INSERT with parameters", { "11": ["fay", "110", null], "12": ["gus", null, "g"] }, true),
  update("UPDATE by key", "name = 'bob the first'", "id = 3", keyed("3"), renamed("bob the first")),
  asForm(
    bound(
      update("UPDATE by key with parameters", "", "", keyed("5"), renamed("cid the second")),
      (t) => `UPDATE ${t} SET name = $1 WHERE id = $2`,
      ["cid the second", 5],
    ),
  ),
  update(
    "UPDATE by a large key",
    "n = 91",
    `id = ${larger}`,
    keyed(larger),
    numbered(() => 91),
  ),
  asForm(update("UPDATE by text", "note = 'by text'", "name = 'ann'", named("ann"), noted("by text"))),
  asForm(
    update(
      "UPDATE of a range",
      "n = n + 1",
      "n BETWEEN 50 AND 80",
      numberIn(50, 80),
      numbered((n) => n + 1),
    ),
  ),
  asForm(update("UPDATE to NULL", "note = NULL", "id IN (3, 7)", keyed("3", "7"), noted(null))),
  asForm(
    update(
      "UPDATE of no row",
      "n = 0",
      "id = 999",
      keyed(),
      numbered(() => 0),
    ),
  ),
  remove("DELETE by key", "id = 6", keyed("6")),
  asForm(remove("DELETE by text", "name = 'bobby'", named("bobby"))),
  asForm(remove("DELETE of no row", "id = 999", keyed())),
  ...forms,
  insert("INSERT of a deleted key", { "6": ["dan again", null, null] }),
];

/** On rows that were flushed before. */
const flushedStatements: readonly Statement[] = [
  update("UPDATE of a flushed row", "name = 'ann again'", "id = 1", keyed("1"), renamed("ann again")),
  update(
    "UPDATE of several flushed rows",
    "n = n - 1",
    "n < 60",
    numberIn(-100, 59),
    numbered((n) => n - 1),
  ),
  insert("INSERT beside flushed rows", { "13": ["hal", "130", null], "14": ["ida", "140", null] }),
  remove("DELETE of a flushed row", "id = 7", keyed("7")),
  remove("DELETE of several flushed rows", `id IN (3, ${large})`, keyed("3", large)),
  remove("DELETE of rows in memory and flushed", "n > 100", numberIn(101, 1_000)),
  insert("INSERT of a flushed and deleted key", { "7": [null, "7", null] }),
  asForm(
    update(
      "UPDATE of flushed rows with OR",
      "name = 'either'",
      "id = 13 OR name = 'minus'",
      either(keyed("13"), named("minus")),
      renamed("either"),
    ),
  ),
  remove(
    "DELETE with OR",
    "id = 5 OR n IS NULL",
    either(keyed("5"), (_, [, n]) => n === null),
  ),
];

/** More rows than a server is likely to treat one by one, or to count where an estimate would do. */
const manyIds = Array.from({ length: 120 }, (_, at) => String(1_001 + at));
const isMany = (id: string): boolean => manyIds.includes(id);
const listed = manyIds.filter((_, at) => at % 3 === 0);

/** On many rows, half of them flushed. */
const manyStatements: readonly Statement[] = [
  insert("INSERT of 120 rows", Object.fromEntries(manyIds.map((id) => [id, ["many", null, null] as const]))),
  update("UPDATE of 120 rows", "note = 'all'", "id > 1000 AND id < 9000", isMany, noted("all")),
  asForm(
    update("UPDATE of a list of keys", "n = 1", `id IN (${listed.join(", ")})`, keyed(...listed), ([name, , note]) => [
      name,
      "1",
      note,
    ]),
  ),
];
const manyFlushed: readonly Statement[] = [
  remove("DELETE of a list of keys", `id IN (${listed.join(", ")})`, keyed(...listed)),
  remove("DELETE of eighty rows", "name = 'many'", named("many")),
];

export const statements: readonly Statement[] = [
  ...hotStatements,
  flushing("the first flush"),
  ...flushedStatements,
  ...manyStatements,
  flushing("the second flush"),
  ...manyFlushed,
];

/** Keys whose row differs. */
export function differingKeys(one: Rows, other: Rows): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (id) => JSON.stringify(one[id]) !== JSON.stringify(other[id]),
  );
}

/** A row in words. */
export function rowText(cells: Cells | undefined): string {
  return cells === undefined ? "not there" : JSON.stringify(cells);
}
