/** Reaching for rows by a live query: what it shows at first, and what it tells of rows that are written later. */
import {
  cellText,
  type Account,
  type Live,
  type Row as LiveRow,
  type Subscription,
  type Target,
} from "../../../src/server/target.ts";
import { openingOf, type Opening } from "../../vocabulary/opening.ts";
import type { Cells } from "./ways.ts";

/** What came of one live query. */
export type Heard = {
  readonly way: string;
  readonly opening: Opening;
  /** The rows of its snapshot; null where it did not begin. */
  readonly rows: Cells | null;
  /** Texts of rows written later that it told, each once. */
  readonly told: readonly string[];
  /** What of other people's texts, numbers and keys stands anywhere in what came, and not in the statement. */
  readonly theirs: readonly string[];
};

export interface Listening {
  readonly live: Live;
  readonly queries: readonly {
    readonly way: string;
    readonly opening: Opening;
    readonly rows: Cells | null;
    readonly query: Subscription;
  }[];
}

const toldWithinMs = 8_000;
const rowsMax = 40;

/** Opens live queries on one connection; a sentence where there is none. */
export async function listen(
  target: Target,
  as: Account,
  ways: readonly { readonly name: string; readonly sql: string }[],
): Promise<Listening | string> {
  const live = await target.live(as);
  if ("why" in live) return `no live connection for a ${as.role}: ${live.why}`;
  if (live.login.kind !== "in") return `the login of a ${as.role} on a live connection was ${live.login.kind}`;
  const queries = [];
  for (const { name, sql } of ways) {
    const query = await live.subscribe(sql);
    const begun = await query.begin();
    const rows = begun.kind === "ready" ? begun.rows.map(cells).slice(0, rowsMax) : null;
    queries.push({ way: name, opening: openingOf(begun, query), rows, query });
  }
  return { live, queries };
}

/** Whether the live query of this number is told of a row with this text, as it is or as it was. */
export async function isTold({ queries }: Listening, text: string, at = 0): Promise<boolean> {
  const change = await queries[at]?.query.untilChange(({ row, old }) => textsOf(row, old).includes(text), toldWithinMs);
  return change !== undefined;
}

/** Everything that came by now; `secrets` are somebody else's. */
export function heard({ live, queries }: Listening, secrets: readonly string[]): Heard[] {
  return queries.map(({ way, opening, rows, query }) => {
    const frames = live.frames.filter(({ about }) => about === query.id).map(({ json }) => JSON.stringify(json));
    const theirs = secrets.filter((one) => !query.sql.includes(one) && frames.some((text) => text.includes(one)));
    const told = [...new Set(query.changes.flatMap(({ row, old }) => textsOf(row, old)))];
    return { way, opening, rows, told: told.slice(0, rowsMax), theirs: theirs.slice(0, 3) };
  });
}

function textsOf(...rows: readonly (LiveRow | null)[]): string[] {
  return rows.flatMap((row) => (row?.["v"] === undefined ? [] : [cellText(row["v"])]));
}

function cells({ id, v, n }: LiveRow): readonly string[] {
  return [id, v, n].map((cell) => cellText(cell));
}
