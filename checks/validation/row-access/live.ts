/** Reaching rows by a live query: its snapshot, and what it delivers of rows that are written later. */
import {
  cellText,
  type Account,
  type Live,
  type Row,
  type Subscription,
  type Target,
} from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";
import { openingOf, type Opening } from "../../vocabulary/opening.ts";
import type { Cells } from "./ways.ts";

/** What one live query delivered. */
export type Received = {
  readonly way: string;
  readonly opening: Opening;
  /** The rows of its snapshot; null if it did not begin. */
  readonly rows: Cells | null;
  /** Texts of rows written later that it delivered, without duplicates. */
  readonly delivered: readonly string[];
  /** Texts, numbers and keys of other accounts anywhere in what it delivered, unless its statement contains them. */
  readonly foreign: readonly string[];
};

export interface Listening {
  readonly live: Live;
  readonly queries: readonly (Pick<Received, "way" | "opening" | "rows"> & { readonly query: Subscription })[];
}

const deliveredWithinMs = 8_000;
const rowsMax = 40;

/** Opens live queries on one connection; returns the reason if there is no connection. */
export async function listen(
  target: Target,
  as: Account,
  ways: readonly { readonly name: string; readonly sql: string }[],
): Promise<Listening | string> {
  const live = await connect(target, as);
  if ("why" in live) return live.why;
  const queries = [];
  for (const { name, sql } of ways) {
    const query = await live.subscribe(sql);
    const begun = await query.begin();
    const rows = begun.kind === "ready" ? begun.rows.map(cells).slice(0, rowsMax) : null;
    queries.push({ way: name, opening: openingOf(begun, query), rows, query });
  }
  return { live, queries };
}

/** Whether the live query with this index delivers a row with this text, as it is or as it was. */
export async function delivers({ queries }: Listening, text: string, at = 0): Promise<boolean> {
  const change = await queries[at]?.query.untilChange(
    ({ row, old }) => textsOf(row, old).includes(text),
    deliveredWithinMs,
  );
  return change !== undefined;
}

/** Everything delivered so far; `secrets` belong to other accounts. */
export function received({ live, queries }: Listening, secrets: readonly string[]): Received[] {
  return queries.map(({ way, opening, rows, query }) => {
    const frames = live.frames.filter(({ about }) => about === query.id).map(({ json }) => JSON.stringify(json));
    const foreign = secrets.filter((one) => !query.sql.includes(one) && frames.some((text) => text.includes(one)));
    const delivered = [...new Set(query.changes.flatMap(({ row, old }) => textsOf(row, old)))];
    return { way, opening, rows, delivered: delivered.slice(0, rowsMax), foreign: foreign.slice(0, 3) };
  });
}

function textsOf(...rows: readonly (Row | null)[]): string[] {
  return rows.flatMap((row) => (row?.["v"] === undefined ? [] : [cellText(row["v"])]));
}

function cells({ id, v, n }: Row): readonly string[] {
  return [id, v, n].map((cell) => cellText(cell));
}
