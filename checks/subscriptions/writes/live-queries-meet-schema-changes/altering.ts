/** One change of a table under an open live query: what is delivered of the rows written after it, or how the query ends. */
import type { Context } from "../../../../src/check.ts";
import { cellText, isRecord } from "../../../../src/wire/json.ts";
import {
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Subscription,
  type Target,
} from "../../../../src/server/target.ts";
import { connect, fenceArrives, noticesOf, subscribe } from "../../../vocabulary/following.ts";
import { plainRow, tryToSubscribe, type Opening } from "../../../vocabulary/opening.ts";
import { waitPatiently, type Pace } from "../../../vocabulary/pace.ts";
import { keysSeen, rowsByKey, toldBy, type KeySeen, type Rows, type Told } from "../told-rows.ts";
import { columns, createKind, firstRows, writtenKeys, type Case, type TableKind } from "./cases.ts";

export type Altered = {
  readonly table: TableKind;
  readonly case: string;
  readonly isOutdated: boolean;
  /** The first change of the table that was not acknowledged, or the last one; the same for the writes. */
  readonly alter: Said;
  readonly write: Said;
  /** The followed statement as a SELECT, afterwards. */
  readonly select: Said;
  readonly rows: Rows;
  /** Keys in the table where the followed statement is refused; null where they could not be read, or need not be. */
  readonly keys: readonly string[] | null;
  readonly told: readonly Told[];
  /** Errors that were sent about it, and how its connection ended. */
  readonly ended: readonly string[];
  /** Of the wait for all events, or for the end. */
  readonly pace: Pace;
  /** Whether another table's row arrived afterwards on the same connection. */
  readonly fenced: boolean;
  /** The same live query, opened afterwards; null where its SELECT is refused. */
  readonly again: { readonly opening: Opening; readonly columns: readonly string[]; readonly rows: Rows } | null;
  /** Columns of that SELECT. */
  readonly columns: readonly string[];
  readonly exchange: number;
};

export interface Parties {
  readonly op: Account;
  readonly user: Account;
  readonly service: Account;
  /** A table that stays as it is. */
  readonly calm: string;
}

/** How long an event or an end may take. */
const waitMs = 2_000;

const names = (list: readonly string[]): string[] =>
  Object.keys(plainRow(Object.fromEntries(list.map((one) => [one, null]))));

/** Sends them in turn until one is not acknowledged; returns the last answer. */
async function sendAll(target: Target, as: Account, statements: readonly string[]): Promise<Said> {
  let said: Said | undefined;
  for (const sql of statements) {
    said = saidOf(await target.sql(as, sql));
    if (said.kind !== "ok") return said;
  }
  if (said === undefined) throw new Error("no statements");
  return said;
}

export async function alterUnder(
  target: Target,
  context: Context,
  { op, user, service, calm }: Parties,
  { kind, table, one, number }: { kind: TableKind; table: string; one: Case; number: number },
): Promise<Altered> {
  const writer = kind === "USER" ? user : service;
  for (const sql of createKind(target.dialect, kind, table, columns))
    context.need(await target.sql(op, sql), `the table ${table} could not be made`);
  const insert = `INSERT INTO ${table} (id, v, n) VALUES ${firstRows}`;
  context.need(await target.sql(writer, insert), `the rows of ${table} could not be inserted`);
  const live = context.need(await connect(target, user), "the user could not connect");
  const open = async (sql: string): Promise<Subscription> =>
    context.need(await subscribe(live, sql), "a live query did not begin").subscription;
  const query = one.select(table);
  const [subscription, other] = [await open(query), await open(`SELECT * FROM ${calm}`)];

  const alter = await sendAll(
    target,
    op,
    one.alters(table, (list) => createKind(target.dialect, kind, table, list)),
  );
  const write = alter.kind === "ok" ? await sendAll(target, writer, one.writes(table)) : alter;
  const look = async () => {
    const answer = await target.sql(
      user,
      `${query}${query.includes(" WHERE ") ? " AND" : " WHERE"} id > 0 ORDER BY id LIMIT 100`,
    );
    const seen = { select: saidOf(answer), rows: rowsByKey(rowsOf(answer) ?? []), told: toldBy(subscription) };
    const shown = answer.kind === "ok" ? names(answer.results[0]?.columns.map(({ name }) => name) ?? []) : [];
    return { ...seen, columns: shown, ended: noticesOf(subscription, live) };
  };
  const isOver = (seen: Awaited<ReturnType<typeof look>>): boolean =>
    write.kind !== "ok" || seen.ended.length > 0 || (seen.select.kind === "ok" && isComplete(seen));
  const { value: seen, pace } = await waitPatiently(target, op, {
    floorMs: waitMs,
    wait: async (withinMs) => await context.poll(look, isOver, { withinMs, everyMs: 250 }),
    done: isOver,
  });
  const inTable = `SELECT id FROM ${table} ORDER BY id LIMIT 100`;
  const keys = seen.select.kind === "ok" ? undefined : rowsOf(await target.sql(user, inTable));
  const fence = `fence ${number}`;
  await target.sql(service, `INSERT INTO ${calm} (id, v) VALUES (${number}, '${fence}')`);
  const fenced = live.closed() === undefined && (await fenceArrives(other, "v", fence));
  // On a connection of its own: the first may have ended.
  let again: Altered["again"] = null;
  if (seen.select.kind === "ok") {
    const second = context.need(await connect(target, user), "the user could not connect again");
    const tried = await tryToSubscribe(second, query);
    const told = tried.subscription.schema.map((column) => (isRecord(column) ? cellText(column["name"]) : ""));
    again = { opening: tried.opening, columns: names(told), rows: rowsByKey(tried.pages.flat()) };
    second.close();
  }
  live.close();
  return {
    ...seen,
    table: kind,
    case: one.name,
    isOutdated: one.isOutdated === true,
    alter,
    write,
    keys: keys?.map((row) => cellText(row["id"])) ?? null,
    pace,
    fenced,
    again,
    exchange: subscription.exchange,
  };
}

/** The written rows, and any other that an event is about. */
export function rowsSeen({ rows, told }: Pick<Altered, "rows" | "told">): KeySeen[] {
  const plan = Object.fromEntries(writtenKeys.map((key) => [key, 1]));
  return keysSeen({ plan, before: {}, after: rows, told });
}

function isComplete(seen: Pick<Altered, "rows" | "told">): boolean {
  return rowsSeen(seen).every(({ changed, events, wrong }) => (changed ? events > 0 : true) && wrong === null);
}
