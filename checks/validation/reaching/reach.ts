/** Reaching for rows: rows that can be told from any others, and what came of one way to reach them. */
import type { Context } from "../../../src/check.ts";
import { cellText, saidOf, type Account, type Answer, type Said, type Target } from "../../../src/server/target.ts";
import { fill, type Cells, type Place, type ReadWay, type Row, type WriteWay } from "./ways.ts";

/** What came of one way. */
export type Tried = {
  readonly way: string;
  readonly said: Said;
  /** The rows of the last result that has columns, without the system's columns; null where there was none, or where the answer was only searched. */
  readonly rows: Cells | null;
  /** How many rows it says it changed. */
  readonly count: number | null;
  /** What of other people's texts, numbers and keys stands anywhere in the answer. */
  readonly theirs: readonly string[];
};

const messageMax = 200;
const cellsMax = 40;

/** `secrets`: what must not be in the answer unless it was in the question. */
export async function tryWay(
  target: Target,
  as: Account,
  way: ReadWay | WriteWay,
  place: Place,
  secrets: readonly string[],
): Promise<Tried> {
  const sql = fill(way.sql, place);
  const params = (way.params ?? []).map((name) => place[name]);
  const answer = await target.sql(as, sql, {
    // A key goes as a number, as its column is one.
    ...(params.length === 0 ? {} : { params: params.map((text) => (/^\d+$/.test(text) ? Number(text) : text)) }),
    ...("unqualified" in way && way.unqualified ? { namespace: place.namespace } : {}),
  });
  const said = saidOf(answer);
  // An error may quote the statement that made it; rows may not.
  const asked = answer.kind === "ok" ? "" : sql + params.join(" ");
  const answered = answer.kind === "ok" ? JSON.stringify(answer.results.map(({ rows }) => rows)) : answer.message;
  // What is not for us to say may be about everybody on the server, and has no place in a report.
  const onlySearched = "shows" in way && way.shows === null;
  const writes = answer.kind === "ok" ? answer.results.filter(({ columns }) => columns.length === 0) : [];
  return {
    way: way.name,
    said: { ...said, message: said.message.slice(0, messageMax) },
    rows: onlySearched ? null : (cellsOf(answer)?.slice(0, cellsMax) ?? null),
    count: writes.length === 0 ? null : writes.reduce((sum, { rowCount }) => sum + rowCount, 0),
    theirs: secrets.filter((secret) => answered.includes(secret) && !asked.includes(secret)).slice(0, 3),
  };
}

/** The last result that has columns, as text, without the system's columns. */
export function cellsOf(answer: Answer): Cells | null {
  const result = answer.kind === "ok" ? answer.results.findLast(({ columns }) => columns.length > 0) : undefined;
  if (result === undefined) return null;
  return result.rows.map((row) =>
    row.filter((_, at) => result.columns[at]?.name.startsWith("_") !== true).map((cell) => cellText(cell)),
  );
}

export function inserting(table: string, rows: readonly Row[]): string {
  return `INSERT INTO ${table} (id, v, n) VALUES ${rows.map(({ id, v, n }) => `(${id}, '${v}', ${n})`).join(", ")}`;
}

/** `first`: the first digit of the number. */
export function newRow(context: Pick<Context, "random">, id: string, who: string, first = 3): Row {
  return { id, v: `${who}-${digits(context, 3)}${digits(context, 4)}`, n: digits(context, first) };
}

/** Twelve digits, the first of them given, the others not to be guessed. */
export function digits({ random }: Pick<Context, "random">, first: number): string {
  return `${first}${String(Math.floor(random("values")() * 1e11)).padStart(11, "0")}`;
}
