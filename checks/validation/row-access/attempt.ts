/** Attempts to reach rows: rows that no other row can be mistaken for, and the outcome of one way to reach them. */
import {
  cellText,
  saidOf,
  type Account,
  type Answer,
  type Said,
  type Target,
  truncated,
} from "../../../src/server/target.ts";
import { fill, type Cells, type Place, type ReadWay, type Row, type WriteWay } from "./ways.ts";

/** The outcome of one way. */
export type Attempt = {
  readonly way: string;
  readonly said: Said;
  /** The rows of the last result with columns, without system columns; null if there is none, or if the answer is only searched. */
  readonly rows: Cells | null;
  /** How many rows it reports as changed. */
  readonly count: number | null;
  /** Texts, numbers and keys of other accounts anywhere in the answer. */
  readonly foreign: readonly string[];
};

const messageMax = 200;
const cellsMax = 40;

/** `secrets`: what must not be in the answer unless the statement contains it. */
export async function attempt(
  target: Target,
  as: Account,
  way: ReadWay | WriteWay,
  place: Place,
  secrets: readonly string[],
): Promise<Attempt> {
  const sql = fill(way.sql, place);
  const params = (way.params ?? []).map((name) => place[name]);
  const answer = await target.sql(as, sql, {
    // Key columns are numbers, so keys are sent as numbers.
    ...(params.length === 0 ? {} : { params: params.map((text) => (/^\d+$/.test(text) ? Number(text) : text)) }),
    ...("unqualified" in way && way.unqualified ? { namespace: place.namespace } : {}),
  });
  const said = saidOf(answer);
  // An error may quote its statement; rows may not.
  const asked = answer.kind === "ok" ? "" : sql + params.join(" ");
  const answered = answer.kind === "ok" ? JSON.stringify(answer.results.map(({ rows }) => rows)) : answer.message;
  // Rows with no expected content may be about anything on the server, and do not belong in a report.
  const onlySearched = "shows" in way && way.shows === null;
  const writes = answer.kind === "ok" ? answer.results.filter(({ columns }) => columns.length === 0) : [];
  return {
    way: way.name,
    said: { ...said, message: truncated(said.message, messageMax) },
    rows: onlySearched ? null : (cellsOf(answer)?.slice(0, cellsMax) ?? null),
    count: writes.length === 0 ? null : writes.reduce((sum, { rowCount }) => sum + rowCount, 0),
    foreign: secrets.filter((secret) => answered.includes(secret) && !asked.includes(secret)).slice(0, 3),
  };
}

/** The last result with columns, as text, without system columns. */
export function cellsOf(answer: Answer): Cells | null {
  const result = answer.kind === "ok" ? answer.results.findLast(({ columns }) => columns.length > 0) : undefined;
  if (result === undefined) return null;
  return result.rows.map((row) =>
    row.filter((_, at) => result.columns[at]?.name.startsWith("_") !== true).map((cell) => cellText(cell)),
  );
}

export function insertRows(table: string, rows: readonly Row[]): string {
  return `INSERT INTO ${table} (id, v, n) VALUES ${rows.map(({ id, v, n }) => `(${id}, '${v}', ${n})`).join(", ")}`;
}

/** `first`: the first digit of the number. */
export function newRow(random: () => number, id: string, owner: string, first = 3): Row {
  return { id, v: `${owner}-${digits(random, 3)}${digits(random, 4)}`, n: digits(random, first) };
}

/** Twelve digits: the given one and eleven that cannot be guessed. */
export function digits(random: () => number, first: number): string {
  return `${first}${String(Math.floor(random() * 1e11)).padStart(11, "0")}`;
}
