/**
 * The ways to reach a row by SQL, one per line: what is sent, and what it shows of the rows that an account may see. The
 * check decides which rows those are.
 */

/** A row as text: a key, a text and a number; text and number are unique on the server. */
export type Row = { readonly id: string; readonly v: string; readonly n: string };
export type Cells = readonly (readonly string[])[];

/** The values of the placeholders, such as `{t}`. */
export interface Place {
  /** The table to reach, `namespace.table`. */
  readonly t: string;
  readonly namespace: string;
  /** Its unqualified name, and its quoted qualified name. */
  readonly name: string;
  readonly quoted: string;
  /** A table that all accounts may read; its keys are 1, 2 and 3, which every account has, and `theirKey`. */
  readonly s: string;
  /** The column with the row version. */
  readonly version: string;
  readonly myValue: string;
  /** Key of one row and value of another that only `them` has. */
  readonly theirKey: string;
  readonly theirValue: string;
  readonly me: string;
  readonly them: string;
}

interface Traits {
  /** Not every server supports it: a refusal, or an empty result, is then no reason for doubt. */
  readonly optional?: true;
  /** Not every server supports it for STREAM tables. */
  readonly notForStreams?: true;
  /** Service accounts and dbas try it, too. */
  readonly broad?: true;
  /** Tried at light effort also on tables that are much like the first, by a service account if it is broad: one of each kind. */
  readonly few?: true;
  /** Tried at light effort, too, as the broad ones are. */
  readonly light?: true;
  /** A refusal that matches reveals that another account has such a row. */
  readonly revealsWhen?: RegExp;
  /** If the way of this name works, a refusal of this one reveals that another account has such a row. */
  readonly revealsIfWorks?: string;
  /** The placeholders whose values are sent as parameters. */
  readonly params?: readonly (keyof Place)[];
}

export interface ReadWay extends Traits {
  readonly name: string;
  readonly sql: string;
  /** What it shows of these rows; null where that is not known, and the answer is only searched for data of other accounts. */
  readonly shows: ((rows: readonly Row[], place: Place) => Cells) | null;
  /** The order of the rows matters. */
  readonly ordered?: true;
  /** The namespace is sent as a field of the request, not in the statement. */
  readonly unqualified?: true;
}

export interface WriteWay extends Traits {
  readonly name: string;
  readonly sql: string;
  /** How many rows it changes for an account that has `own` rows. */
  readonly counts: (own: number) => number;
  /** Acts as another account: must be refused whatever it would do. */
  readonly forbidden?: true;
  /** If the account's own rows are gone, as many are inserted before it. */
  readonly refill?: true;
}

export interface LiveWay {
  readonly name: string;
  readonly sql: string;
  /** Service accounts and dbas try it, too. */
  readonly broad?: true;
  /** Which of the account's own rows its snapshot shows. */
  readonly shows: (rows: readonly Row[]) => Cells;
  /** Whether it delivers the account's own rows that are written later. */
  readonly delivers: boolean;
}

const big = (text: string): bigint => BigInt(text);
const byKey = (rows: readonly Row[]): Row[] => rows.toSorted((a, b) => Number(big(a.id) - big(b.id)));
const byNumber = (rows: readonly Row[]): Row[] => rows.toSorted((a, b) => Number(big(b.n) - big(a.n)));
const shared = ({ theirKey }: Place): readonly string[] => ["1", "2", "3", theirKey];

const rows = (of: readonly Row[]): Cells => of.map(({ id, v, n }) => [id, v, n]);
const values = (of: readonly Row[]): Cells => of.map(({ v }) => [v]);
const valuesTwice = (of: readonly Row[]): Cells => [...values(of), ...values(of)];
const valueOfKey1 = (of: readonly Row[]): Cells => values(of.filter(({ id }) => id === "1"));
const valueOfTheirKey = (of: readonly Row[], { theirKey }: Place): Cells =>
  values(of.filter(({ id }) => id === theirKey));
const myValue = (of: readonly Row[], place: Place): Cells => values(of.filter(({ v }) => v === place.myValue));
const theirValue = (of: readonly Row[], place: Place): Cells => values(of.filter(({ v }) => v === place.theirValue));
const join = (of: readonly Row[], place: Place): Cells => values(of.filter(({ id }) => shared(place).includes(id)));
const leftJoin = (of: readonly Row[], place: Place): Cells =>
  shared(place).flatMap((key) => {
    const found = values(of.filter(({ id }) => id === key));
    return found.length === 0 ? [["null"]] : found;
  });
const sharedKeys = (of: readonly Row[], place: Place): Cells =>
  shared(place)
    .filter((key) => of.some(({ id }) => id === key))
    .map((key) => [key]);
const allSharedIfTheirs = (of: readonly Row[], place: Place): Cells =>
  of.some(({ v }) => v === place.theirValue) ? shared(place).map((key) => [key]) : [];
const count = (of: readonly Row[]): Cells => [[String(of.length)]];
const countEach = (of: readonly Row[]): Cells => of.map(({ v }) => [v, "1"]);
const countBeside = (of: readonly Row[]): Cells => of.map(({ v }) => [v, String(of.length)]);
const sum = (of: readonly Row[]): Cells => [[String(of.reduce((total, { n }) => total + big(n), 0n))]];
const lastValue = (of: readonly Row[]): Cells => [
  [
    of
      .map(({ v }) => v)
      .toSorted()
      .at(-1) ?? "",
  ],
];
const lastKey = (of: readonly Row[]): Cells => [[byKey(of).at(-1)?.id ?? ""]];
const lowAndHigh = (of: readonly Row[]): Cells => [[byNumber(of).at(-1)?.n ?? "", byNumber(of)[0]?.n ?? ""]];
const secondAndThird = (of: readonly Row[]): Cells => values(byKey(of).toReversed().slice(1, 3));
const valueOfHighest = (of: readonly Row[]): Cells => values(byNumber(of).slice(0, 1));
const selfJoin = (of: readonly Row[]): Cells =>
  of.flatMap((a) => of.filter((b) => a.id === b.id).map((b) => [a.v, b.v]));
const crossJoin = (of: readonly Row[]): Cells => of.flatMap(() => values(of));

function read(name: string, sql: string, shows: ReadWay["shows"], traits: Partial<ReadWay> = {}): ReadWay {
  return { name, sql, shows, ...traits };
}

/** Fails if it evaluates a row with this value, visible to the account or not. */
function divideBy(value: string): string {
  return `SELECT v FROM {t} WHERE 1 / (CASE WHEN v = '${value}' THEN 0 ELSE 1 END) = 1`;
}

const optional = { optional: true } as const;
const light = { light: true } as const;
const broad = { broad: true } as const;
const few = { broad: true, few: true } as const;
const notForStreams = { notForStreams: true } as const;

export const readWays: readonly ReadWay[] = [
  read("SELECT *", "SELECT * FROM {t}", rows, few),
  read("by key", "SELECT v FROM {t} WHERE id = 1", valueOfKey1),
  read("by another's key", "SELECT v FROM {t} WHERE id = {theirKey}", valueOfTheirKey, few),
  read("by another's key, as parameter", "SELECT v FROM {t} WHERE id = $1", valueOfTheirKey, { params: ["theirKey"] }),
  read("by value, as parameter", "SELECT v FROM {t} WHERE v = $1", myValue, { params: ["myValue"] }),
  read("by another's value, as parameter", "SELECT v FROM {t} WHERE v = $1", theirValue, {
    ...light,
    params: ["theirValue"],
  }),
  read("by another's value", "SELECT v FROM {t} WHERE v = '{theirValue}'", theirValue),
  read("LIKE", "SELECT v FROM {t} WHERE v LIKE '%-%'", values),
  read("OR 1 = 1", "SELECT v FROM {t} WHERE id = 1 OR 1 = 1", values),
  read("COUNT(*)", "SELECT COUNT(*) AS c FROM {t}", count, few),
  read("COUNT(*) with a predicate", "SELECT COUNT(*) AS c FROM {t} WHERE id > 0", count),
  read("COUNT(DISTINCT)", "SELECT COUNT(DISTINCT v) AS c FROM {t}", count),
  read("SUM", "SELECT SUM(n) AS s FROM {t}", sum, broad),
  read("MAX of a text", "SELECT MAX(v) AS m FROM {t}", lastValue),
  read("MAX of the key", "SELECT MAX(id) AS m FROM {t}", lastKey),
  read("MIN and MAX of a number", "SELECT MIN(n) AS lo, MAX(n) AS hi FROM {t}", lowAndHigh, broad),
  read("DISTINCT", "SELECT DISTINCT v FROM {t}", values),
  read("GROUP BY", "SELECT v, COUNT(*) AS c FROM {t} GROUP BY v HAVING COUNT(*) > 0", countEach, light),
  read("LIMIT OFFSET", "SELECT v FROM {t} ORDER BY id DESC LIMIT 2 OFFSET 1", secondAndThird, { ordered: true }),
  read("ORDER BY LIMIT 1", "SELECT v FROM {t} ORDER BY n DESC LIMIT 1", valueOfHighest, broad),
  read("self-join", "SELECT a.v, b.v AS w FROM {t} a JOIN {t} b ON a.id = b.id", selfJoin),
  read("CROSS JOIN", "SELECT b.v FROM {t} a CROSS JOIN {t} b", crossJoin),
  read("JOIN", "SELECT o.v FROM {s} s JOIN {t} o ON o.id = s.id", join, light),
  read("LEFT JOIN", "SELECT o.v FROM {s} s LEFT JOIN {t} o ON o.id = s.id", leftJoin),
  read("IN", "SELECT s.id FROM {s} s WHERE s.id IN (SELECT o.id FROM {t} o)", sharedKeys),
  read("EXISTS", "SELECT o.v FROM {t} o WHERE EXISTS (SELECT 1 FROM {t} i WHERE i.id = o.id)", values),
  read(
    "EXISTS for another's value",
    "SELECT s.id FROM {s} s WHERE EXISTS (SELECT 1 FROM {t} o WHERE o.v = '{theirValue}')",
    allSharedIfTheirs,
    light,
  ),
  read("subquery as a value", "SELECT (SELECT MAX(v) FROM {t}) AS m", lastValue),
  read("subquery in FROM", "SELECT x.v FROM (SELECT * FROM {t}) x", values, light),
  read("CTE", "WITH x AS (SELECT * FROM {t}) SELECT v FROM x", values),
  read("UNION", "SELECT v FROM {t} UNION SELECT v FROM {t}", values, light),
  read("UNION ALL", "SELECT v FROM {t} UNION ALL SELECT v FROM {t}", valuesTwice),
  read("INTERSECT", "SELECT v FROM {t} INTERSECT SELECT v FROM {t}", values, optional),
  read("window function", "SELECT v, COUNT(*) OVER () AS c FROM {t}", countBeside, optional),
  read("by row version", "SELECT v FROM {t} WHERE {version} IS NOT NULL", values),
  read("not deleted", "SELECT v FROM {t} WHERE _deleted = false", values, optional),
  read("deleted", "SELECT v, n FROM {t} WHERE _deleted = true OR _deleted IS NULL", null),
  read("quoted names", "SELECT v FROM {quoted}", values),
  read("catalog-qualified name", "SELECT v FROM kalam.{t}", values, optional),
  read("namespace in the request", "SELECT v FROM {name}", values, { unqualified: true }),
  read("second in a batch", "SELECT 1 AS one; SELECT v FROM {t}", values, light),
  read("in a transaction", "BEGIN; SELECT v FROM {t}; COMMIT", values, notForStreams),
  read("EXECUTE AS oneself", "EXECUTE AS USER '{me}' (SELECT v FROM {t})", values, optional),
  read("an error that no row causes", divideBy("nobody"), values, { ...light, ...optional }),
  read("an error that another's row would cause", divideBy("{theirValue}"), values, {
    ...light,
    ...optional,
    revealsIfWorks: "an error that no row causes",
  }),
  read("an error that quotes a value", "SELECT v FROM {t} WHERE CAST(v AS INT) = 1", null),
  read("EXPLAIN ANALYZE", "EXPLAIN ANALYZE VERBOSE SELECT * FROM {t} WHERE id > 0", null),
  // Of flushed tables it tells the segments, with their lowest and highest keys.
  read("SHOW MANIFEST", "SHOW MANIFEST", null, { few: true }),
  // Filtered by namespace: on a busy server SHOW MANIFEST may be cut off before the run's own tables.
  read("system.manifest", "SELECT * FROM system.manifest WHERE namespace_id = '{namespace}'", null, light),
  read("SHOW STATS", "SHOW STATS FOR TABLE {t}", null),
  read("DESCRIBE", "DESCRIBE TABLE {t}", null),
];

/** The first one shows that rows written later have arrived. `{theirKey}` and `{theirValue}` belong to a row that is written later. */
export const liveWays: readonly LiveWay[] = [
  { name: "live query", sql: "SELECT * FROM {t}", broad: true, shows: rows, delivers: true },
  { name: "live query with a condition", sql: "SELECT id, v, n FROM {t} WHERE n > 0", shows: rows, delivers: true },
  {
    name: "live query by another's key",
    sql: "SELECT * FROM {t} WHERE id = {theirKey}",
    shows: () => [],
    delivers: false,
  },
  {
    name: "live query by another's value",
    sql: "SELECT * FROM {t} WHERE v = '{theirValue}'",
    shows: () => [],
    delivers: false,
  },
];

const all = (own: number): number => own;
const none = (): number => 0;
const one = (): number => 1;
const allButOne = (own: number): number => own - 1;

function write(name: string, sql: string, counts: WriteWay["counts"], traits: Partial<WriteWay> = {}): WriteWay {
  return { name, sql, counts, ...traits };
}

const broadNotForStreams = { ...broad, ...notForStreams };
const fewNotForStreams = { ...few, ...notForStreams };
const forbidden = { forbidden: true } as const;

/** The order matters: until the DELETEs, each leaves the account as many rows as it had before. */
export const writeWays: readonly WriteWay[] = [
  write("UPDATE without WHERE", "UPDATE {t} SET n = n + 1", all, { ...broad, ...optional }),
  write("UPDATE WHERE 1 = 1", "UPDATE {t} SET n = n + 1 WHERE 1 = 1", all, optional),
  write("UPDATE of every key", "UPDATE {t} SET n = n + 1 WHERE id > 0", all, fewNotForStreams),
  write("UPDATE by key", "UPDATE {t} SET n = n + 1 WHERE id = 1", one, notForStreams),
  write("UPDATE by value, as parameter", "UPDATE {t} SET n = n + 1 WHERE v = $1", one, {
    ...notForStreams,
    params: ["myValue"],
  }),
  write("UPDATE by another's key", "UPDATE {t} SET n = n + 1 WHERE id = {theirKey}", none, broadNotForStreams),
  write("UPDATE by another's value", "UPDATE {t} SET n = n + 1 WHERE v = '{theirValue}'", none, notForStreams),
  write("UPDATE by row version", "UPDATE {t} SET n = n + 1 WHERE {version} IS NOT NULL", all, optional),
  write("UPDATE with a subquery", "UPDATE {t} SET n = n + 1 WHERE id IN (SELECT id FROM {t})", all, optional),
  write("UPDATE in a transaction", "BEGIN; UPDATE {t} SET n = n + 1 WHERE id > 0; COMMIT", all, notForStreams),
  write("SELECT as another", "EXECUTE AS USER '{them}' (SELECT v FROM {t})", none, { ...light, ...forbidden }),
  write("UPDATE as another", "EXECUTE AS USER '{them}' (UPDATE {t} SET n = 1 WHERE id > 0)", none, {
    ...light,
    ...forbidden,
  }),
  write(
    "INSERT as another",
    "EXECUTE AS USER '{them}' (INSERT INTO {t} (id, v, n) VALUES (77, 'x', 1))",
    none,
    forbidden,
  ),
  write("DELETE as another", "EXECUTE AS USER '{them}' (DELETE FROM {t} WHERE id > 0)", none, forbidden),
  write("SELECT as another, after a query", "SELECT 1 AS one; EXECUTE AS USER '{them}' (SELECT v FROM {t})", none, {
    ...light,
    ...forbidden,
  }),
  write(
    "SELECT as another, after acting as oneself",
    "EXECUTE AS USER '{me}' (SELECT 1 AS one); EXECUTE AS USER '{them}' (SELECT v FROM {t})",
    none,
    forbidden,
  ),
  write(
    "SELECT as another, in lower case after a comment",
    "/* SELECT 1 */ execute as user '{them}' (SELECT v FROM {t})",
    none,
    forbidden,
  ),
  write(
    "SELECT as another, in a transaction",
    "BEGIN; EXECUTE AS USER '{them}' (SELECT v FROM {t}); COMMIT",
    none,
    forbidden,
  ),
  write("INSERT … SELECT", "INSERT INTO {t} (id, v, n) SELECT id + 1000, v, n FROM {t}; SELECT v FROM {t}", all),
  write("DELETE of a range of keys", "DELETE FROM {t} WHERE id > 1000", all, notForStreams),
  write("INSERT of another's key", "INSERT INTO {t} (id, v, n) VALUES ({theirKey}, 'x', 1)", one, {
    ...light,
    revealsWhen: /already exists|duplicate|violation/i,
  }),
  write("DELETE by another's key", "DELETE FROM {t} WHERE id = {theirKey}", one, { ...light, ...notForStreams }),
  write("DELETE by another's value", "DELETE FROM {t} WHERE v = '{theirValue}'", none, notForStreams),
  write("DELETE by key", "DELETE FROM {t} WHERE id = 1", one, fewNotForStreams),
  write("DELETE of every key", "DELETE FROM {t} WHERE id > 0", allButOne, fewNotForStreams),
  write("DELETE WHERE 1 = 1", "DELETE FROM {t} WHERE 1 = 1", all, { ...optional, refill: true }),
  write("DELETE without WHERE", "DELETE FROM {t}", all, { ...optional, ...broad, refill: true }),
];

/** The statement with its placeholders filled in. */
export function fill(sql: string, place: Place): string {
  return sql.replace(/\{(\w+)\}/g, (whole, name: string) => (name in place ? place[name as keyof Place] : whole));
}

/** Whether these are exactly the expected rows, in any order unless `ordered`. */
export function sameCells(seen: Cells | null, expected: Cells, ordered: boolean): boolean {
  if (seen === null) return false;
  const [a, b] = [seen, expected].map((cells) => cells.map((row) => JSON.stringify(row)));
  return JSON.stringify(ordered ? a : a?.toSorted()) === JSON.stringify(ordered ? b : b?.toSorted());
}
