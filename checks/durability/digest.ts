/** A table with all types, NULLs, and rows that were updated and deleted; and answers about it that must stay the same. */
import type { Context } from "../../src/check.ts";
import { cellText, rowsOf, truncated, type Answer } from "../../src/server/target.ts";
import { quoted } from "../vocabulary/values.ts";

/** Sends a statement about the table, whoever the server and the account are. */
export type Ask = (sql: string) => Promise<Answer>;

const types = {
  n: "INT",
  small: "SMALLINT",
  big: "BIGINT",
  price: "DECIMAL(12, 2)",
  ratio: "DOUBLE",
  share: "FLOAT",
  flag: "BOOLEAN",
  mark: "TEXT",
  doc: "JSON",
  code: "UUID",
  at: "TIMESTAMP",
  moment: "DATETIME",
  day: "DATE",
  clock: "TIME",
  raw: "BYTES",
} as const;
export type Column = keyof typeof types;

const names = Object.keys(types) as readonly Column[];
export const digestColumns = `id BIGINT PRIMARY KEY, ${names.map((name) => `${name} ${types[name]}`).join(", ")}`;

export function typesOf(columns: readonly Column[]): string {
  return columns.map((column) => types[column]).join(", ");
}

type Needs = Pick<Context, "need">;

const two = (number: number): string => String(number % 60).padStart(2, "0");

/** Floating-point values are sums of powers of two, so that no order of adding them up changes a digit. */
const literals: Readonly<Record<Column, (id: number) => string>> = {
  n: (id) => String(((id * 37) % 1_000) - 500),
  small: (id) => String((id % 100) - 50),
  big: (id) => `90071992547409${two(id)}`,
  price: (id) => `${id}.${two(id)}`,
  ratio: (id) => String(id / 8),
  share: (id) => String(-id / 4),
  flag: (id) => (id % 2 === 0 ? "TRUE" : "FALSE"),
  mark: (id) => quoted(`row ${id}, it's \u00E9 \u{1F600}`),
  doc: (id) => quoted(`{"id": ${id}, "tags": ["a", null]}`),
  code: (id) => quoted(`550e8400-e29b-41d4-a716-4466554400${two(id)}`),
  at: (id) => quoted(`2026-01-02 03:04:${two(id)}.000001`),
  moment: (id) => quoted(`1969-12-31 23:59:${two(id)}.999999`),
  day: (id) => quoted(`2024-02-${String((id % 28) + 1).padStart(2, "0")}`),
  clock: (id) => quoted(`12:34:${two(id)}.000001`),
  raw: (id) => `X'c328${two(id)}'`,
};

/** Every seventh cell is NULL, as are those of the columns that are left out. */
function rowOf(id: number, without: readonly Column[]): string {
  return tuple(id, (name, at) => (id + at) % 7 !== 0 && !without.includes(name));
}

function tuple(id: number, has: (name: Column, at: number) => boolean): string {
  const cells = names.map((name, at) => (has(name, at) ? literals[name](Math.abs(id)) : "NULL"));
  return `(${[String(id), ...cells].join(", ")})`;
}

/** The columns whose literals this server refuses beside those of the columns before them: whether it should is for other checks. */
export async function refusedColumns(context: Needs, ask: Ask, table: string): Promise<readonly Column[]> {
  const refused: Column[] = [];
  const insert = async (id: number, last: number): Promise<Answer> =>
    await ask(insertion(table, [tuple(id, (name, at) => at <= last && !refused.includes(name))]));
  const all = await insert(-1, names.length);
  if (all.kind !== "ok") {
    for (const [at, name] of names.entries()) {
      const answer = await insert(-2 - at, at);
      // Whatever the words: it was answered, and the row is not there.
      if (answer.kind === "refused" || (answer.kind === "unsure" && answer.because === "unrecognised"))
        refused.push(name);
    }
    context.need(await insert(-2 - names.length, names.length), `a row of ${table} could not be written`);
  }
  context.need(await ask(`DELETE FROM ${table} WHERE id < 0`), `rows of ${table} could not be deleted`);
  return refused;
}

function insertion(table: string, rows: readonly string[]): string {
  return `INSERT INTO ${table} (id, ${names.join(", ")}) VALUES ${rows.join(", ")}`;
}

const rowsAtOnce = 50;

export interface Range {
  readonly from: number;
  readonly count: number;
}

/** Inserts the rows with these keys; the observation cannot do without them. */
export async function fill(
  context: Needs,
  ask: Ask,
  table: string,
  { from, count }: Range,
  without: readonly Column[] = [],
): Promise<void> {
  for (let first = from; first < from + count; first += rowsAtOnce) {
    const rows = Array.from({ length: Math.min(rowsAtOnce, from + count - first) }, (_, at) =>
      rowOf(first + at, without),
    );
    context.need(await ask(insertion(table, rows)), `rows of ${table} could not be written`);
  }
}

/** Updates every ninth of these rows, and deletes every eleventh. Returns how many are left. */
export async function change(context: Needs, ask: Ask, table: string, { from, count }: Range): Promise<number> {
  let left = count;
  for (let id = from; id < from + count; id += 1) {
    if (id % 11 === 0) {
      context.need(await ask(`DELETE FROM ${table} WHERE id = ${id}`), `a row of ${table} could not be deleted`);
      left -= 1;
    } else if (id % 9 === 0) {
      const sql = `UPDATE ${table} SET mark = 'changed ${id}', n = NULL, price = 0.01 WHERE id = ${id}`;
      context.need(await ask(sql), `a row of ${table} could not be updated`);
    }
  }
  return left;
}

const predicates: Readonly<Record<string, string>> = {
  "a range of keys": "id > 7 AND id <= 30",
  "a list of keys, deleted ones among them": "id IN (1, 9, 11, 22, 27, 40)",
  "a prefix": "mark LIKE 'changed%'",
  "IS NULL": "n IS NULL",
  "a range of values": "n BETWEEN -100 AND 250",
  "a boolean or a decimal": "flag = TRUE OR price < 5",
  "a date": "day >= '2024-02-15'",
  "NOT of two": "NOT (small > 0 AND ratio < 3)",
};
const sums =
  "SUM(n) AS n, SUM(small) AS small, SUM(big) AS big, SUM(ratio) AS ratio, MIN(price) AS least, MAX(price) AS most, MIN(mark) AS first, MAX(day) AS last, COUNT(doc) AS docs";
const pageRows = 25;

/** The queries that make the digest, by name. */
export function digestQueries(table: string, { from, count }: Range): Readonly<Record<string, string>> {
  const starts = Array.from({ length: Math.ceil(count / pageRows) }, (_, at) => from - 1 + at * pageRows);
  const page = (after: number): string =>
    `SELECT id, ${names.join(", ")} FROM ${table} WHERE id > ${after} AND id <= ${after + pageRows} ORDER BY id LIMIT ${2 * pageRows}`;
  const match = (condition: string): string => `SELECT id FROM ${table} WHERE ${condition} ORDER BY id LIMIT 1000`;
  return {
    "the number of rows": `SELECT COUNT(*) AS n FROM ${table}`,
    sums: `SELECT ${sums} FROM ${table}`,
    ...Object.fromEntries(starts.map((after) => [`rows ${after + 1} to ${after + pageRows}`, page(after)])),
    ...Object.fromEntries(Object.entries(predicates).map(([name, condition]) => [name, match(condition)])),
  };
}

/** The answer to one query; `lines`: the text of each row, null if it was not answered, and then `why`. */
export type Line = {
  readonly query: string;
  readonly lines: readonly string[] | null;
  readonly why: string | null;
  /** The table is refused as missing. */
  readonly missing: boolean;
  readonly exchange: number;
  readonly sentAt: number;
  readonly doneAt: number;
};
export type Digest = readonly Line[];

const triesMax = 3;

/** Asks everything once, one after the other; what got no answer is asked again. */
export async function digest(ask: Ask, table: string, range: Range): Promise<Digest> {
  return await askAll(ask, digestQueries(table, range));
}

/** The same of some queries. */
export async function askAll(ask: Ask, queries: Readonly<Record<string, string>>): Promise<Digest> {
  const lines: Line[] = [];
  for (const [query, sql] of Object.entries(queries)) lines.push(await askLine(ask, query, sql));
  return lines;
}

export async function askLine(ask: Ask, query: string, sql: string): Promise<Line> {
  let answer = await ask(sql);
  for (let tries = 1; answer.kind === "unsure" && tries < triesMax; tries += 1) answer = await ask(sql);
  const { exchange, sentAt, doneAt } = answer;
  const rows = rowsOf(answer);
  const why = answer.kind === "ok" ? (rows === undefined ? "the answer has no columns" : null) : answer.message;
  return {
    query,
    lines: rows?.map((row) => Object.values(row).map(cellText).join(" | ")) ?? null,
    why,
    missing: answer.kind === "refused" && answer.cause === "missing",
    exchange,
    sentAt: Math.floor(sentAt),
    doneAt: Math.ceil(doneAt),
  };
}

export type Difference = {
  readonly query: string;
  /** The first row that was there before and is not now, and the other way round; null if there is none. */
  readonly gone: string | null;
  readonly added: string | null;
  /** How many rows there were and are. */
  readonly rows: readonly [number, number];
};

/** How the answers differ from those of before, rows first; what was not answered shows nothing. */
export function differencesFrom(before: Digest, now: Digest): (Difference & { readonly exchange: number })[] {
  const known = new Map(before.map((line) => [line.query, line]));
  const differences = now.flatMap(({ query, lines, exchange }) => {
    const old = known.get(query)?.lines ?? null;
    if (old === null || lines === null || lines.join("\n") === old.join("\n")) return [];
    const rows = [old.length, lines.length] as const;
    return [{ query, gone: missingIn(lines, old), added: missingIn(old, lines), rows, exchange }];
  });
  return differences.toSorted((one, other) => Number(isOfRows(other)) - Number(isOfRows(one)));
}

const isOfRows = ({ query }: Difference): boolean => query.startsWith("rows ");
const shownChars = 120;

function missingIn(lines: readonly string[], wanted: readonly string[]): string | null {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of wanted) {
    const left = counts.get(line) ?? 0;
    if (left === 0) return truncated(line, shownChars);
    counts.set(line, left - 1);
  }
  return null;
}

export function sayDifference({ query, gone, added, rows: [was, is] }: Difference): string {
  const size = was === is ? "" : ` (${is} rows instead of ${was})`;
  const how =
    gone === null
      ? added === null
        ? "the order changed"
        : `${added} is there and was not before`
      : added === null
        ? `${gone} is gone`
        : `${gone} became ${added}`;
  return `${query}: ${how}${size}`;
}

/** For `unknown`: the first query that was not answered. */
export function whyUnanswered(digests: Digest): string | undefined {
  const none = digests.find(({ lines }) => lines === null);
  return none && `${none.query}: ${none.why ?? "no answer"}`;
}
