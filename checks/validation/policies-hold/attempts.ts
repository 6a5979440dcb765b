/** A user under a policy tries every way to reach the rows of another, on a table with rows of both. */
import type { Context } from "../../../src/check.ts";
import { cellText, saidOf, truncated, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { connect } from "../../vocabulary/following.ts";
import { openingOf, type Opening } from "../../vocabulary/opening.ts";
import { askedTwice } from "../../vocabulary/second-look.ts";
import { createTable, sharedTable } from "../../vocabulary/tables.ts";
import { attempt, cellsOf, digits, newRow, type Attempt } from "../row-access/attempt.ts";
import { fill, readWays, sameCells, type Cells, type Place, type ReadWay, type Row } from "../row-access/ways.ts";

const columns = "id BIGINT PRIMARY KEY, v TEXT, n BIGINT, owner TEXT NOT NULL";

/** `SELECT *` and system columns would show more than the three columns that the ways know. */
export const reads: readonly ReadWay[] = [
  ...readWays.filter(({ sql, shows }) => shows !== null && !/^SELECT \* FROM|EXECUTE AS/.test(sql)),
  { name: "all columns", sql: "SELECT id, v, n FROM {t}", shows: (rows) => rows.map(({ id, v, n }) => [id, v, n]) },
];

interface WriteWay {
  readonly name: string;
  readonly sql: string;
  /** It would give a row to the other user, instead of changing the other's. */
  readonly moves?: true;
}

export const writes: readonly WriteWay[] = [
  { name: "UPDATE by the other's key", sql: "UPDATE {t} SET n = 1 WHERE id = {theirKey}" },
  { name: "UPDATE by the other's value", sql: "UPDATE {t} SET n = 1 WHERE v = '{theirValue}'" },
  { name: "UPDATE of every key", sql: "UPDATE {t} SET n = n + 1 WHERE id > 0" },
  { name: "UPDATE of every owner", sql: "UPDATE {t} SET n = n + 1 WHERE owner <> '' OR 1 = 1" },
  { name: "UPDATE in a transaction", sql: "BEGIN; UPDATE {t} SET n = 1 WHERE id = {theirKey}; COMMIT" },
  { name: "taking a row", sql: "UPDATE {t} SET owner = '{me}' WHERE id = {theirKey}" },
  {
    name: "upsert of the other's key",
    sql: "INSERT INTO {t} (id, v, n, owner) VALUES ({theirKey}, 'x', 1, '{me}') ON CONFLICT (id) DO UPDATE SET n = 1",
  },
  { name: "DELETE by the other's key", sql: "DELETE FROM {t} WHERE id = {theirKey}" },
  { name: "DELETE by the other's value", sql: "DELETE FROM {t} WHERE v = '{theirValue}'" },
  { name: "DELETE of the other's rows", sql: "DELETE FROM {t} WHERE owner = '{them}'" },
  {
    name: "INSERT for the other",
    sql: "INSERT INTO {t} (id, v, n, owner) VALUES (901, 'x', 1, '{them}')",
    moves: true,
  },
  {
    name: "INSERT of a row for the other among others",
    sql: "INSERT INTO {t} (id, v, n, owner) VALUES (902, 'x', 1, '{me}'), (903, 'x', 1, '{them}')",
    moves: true,
  },
  { name: "giving a row away", sql: "UPDATE {t} SET owner = '{them}' WHERE id = 1", moves: true },
  {
    name: "giving a row away in a transaction",
    sql: "BEGIN; UPDATE {t} SET owner = '{them}' WHERE id = 2; COMMIT",
    moves: true,
  },
  { name: "giving a row to nobody", sql: "UPDATE {t} SET owner = 'nobody' WHERE id = 3", moves: true },
];

/** `others`: the rows that are not the user's, as a dba sees them: as before, or what they are now. */
export type Write = { readonly way: string; readonly said: Said; readonly others: "same" | "unread" | Cells };

/** What an account without a policy gets of a table that has rows. */
export type Closed = {
  readonly table: string;
  readonly role: string;
  readonly said: Said;
  /** How many rows it counts; null if it was not answered. */
  readonly rows: number | null;
  /** The same of a live query's snapshot. */
  readonly snapshot: number | null;
};

export type Listened = {
  readonly opening: Opening | null;
  readonly why: string;
  /** The keys of the snapshot. */
  readonly keys: readonly string[];
  readonly ownArrived: boolean;
  /** Texts of others anywhere in its frames. */
  readonly foreign: readonly string[];
  readonly exchange: number;
};

export type Seen = {
  readonly rows: readonly Row[];
  readonly others: readonly Row[];
  readonly place: { readonly [Name in keyof Place]: string };
  readonly reads: readonly Attempt[];
  readonly writes: readonly Write[];
  readonly listened: Listened;
  readonly closed: readonly Closed[];
  /** How many of all rows a dba counts, and what an UPDATE of another's row by the dba got. */
  readonly dba: { readonly count: number | null; readonly of: number; readonly wrote: Said };
};

export async function visit(target: Target, context: Context): Promise<Seen> {
  const random = context.random("rows");
  const [op, service] = [await target.account("dba"), await target.account("service")];
  const [user, other] = [await target.account("user", "alice"), await target.account("user", "bob")];
  const { scratch, need } = context;
  const [t, empty] = [`${scratch}.guarded`, `${scratch}.unguarded`];
  const rows = ["1", "2", "3"].map((id) => newRow(random, id, "mine"));
  const others = Array.from({ length: 4 }, (_, at) => newRow(random, digits(random, 2), "other", at === 0 ? 1 : 9));
  const [theirs = rows[0] as Row] = others;
  const must = async (as: Account, sql: string): Promise<unknown> => need(await target.sql(as, sql), `${sql} failed`);
  for (const table of [t, empty]) {
    await must(op, createTable(table, { type: "SHARED", columns }));
    await must(op, inserted(table, others, other.name));
  }
  const mine = "owner = CURRENT_USER";
  await must(op, `CREATE POLICY kr_own ON ${t} FOR ALL TO user USING (${mine}) WITH CHECK (${mine})`);
  await must(user, inserted(t, rows, user.name));
  const beside = await sharedTable(target, context, op, `${scratch}.beside`, {
    columns: "id BIGINT PRIMARY KEY",
    readers: ["user"],
  });
  await must(op, `INSERT INTO ${beside} (id) VALUES (1), (2), (3), (${theirs.id})`);

  const place: Place = {
    t,
    s: beside,
    namespace: scratch,
    name: "guarded",
    quoted: `"${scratch}"."guarded"`,
    version: target.dialect.versionColumn.known ? target.dialect.versionColumn.value : "_version",
    myValue: rows[0]?.v ?? "",
    theirKey: theirs.id,
    theirValue: theirs.v,
    me: user.name,
    them: other.name,
  };
  const secrets = others.flatMap(({ id, v, n }) => [id, v, n]);
  const tried: Attempt[] = [];
  for (const way of reads) {
    const read = async (): Promise<Attempt> => await attempt(target, user, way, place, secrets);
    // An accusation is looked at twice.
    const { last } = await askedTwice(read, (one) => leaks(way, one, { rows, others, place }));
    tried.push(last);
  }
  const listened = await listen(target, { t, op, user, other, random, secrets });
  const closed = [
    await lookClosed(target, user, empty),
    await lookClosed(target, service, empty),
    await lookClosed(target, service, t),
  ];
  const count = await countOf(target, op, t);
  const wrote = saidOf(await target.sql(op, `UPDATE ${t} SET n = n + 1 WHERE id = ${theirs.id}`));
  return {
    rows,
    others,
    place: { ...place },
    reads: tried,
    listened,
    closed,
    dba: { count: count.rows, of: rows.length + others.length, wrote },
    writes: await tryWrites(target, { op, user, place }),
  };
}

/** Whether an answer shows rows of the other user: as texts, or as the result that only those rows make. */
export function leaks(
  way: ReadWay,
  { said, rows: seen, foreign }: Attempt,
  { rows, others, place }: { readonly rows: readonly Row[]; readonly others: readonly Row[]; readonly place: Place },
): boolean {
  if (foreign.length > 0) return true;
  if (said.kind !== "ok" || way.shows === null || seen === null) return false;
  const is = (of: readonly Row[]): boolean => sameCells(seen, way.shows?.(of, place) ?? [], way.ordered === true);
  return !is(rows) && is([...rows, ...others]);
}

function inserted(table: string, rows: readonly Row[], owner: string): string {
  const values = rows.map(({ id, v, n }) => `(${id}, '${v}', ${n}, '${owner}')`);
  return `INSERT INTO ${table} (id, v, n, owner) VALUES ${values.join(", ")}`;
}

async function tryWrites(
  target: Target,
  { op, user, place }: { readonly op: Account; readonly user: Account; readonly place: Place },
): Promise<Write[]> {
  const look = async (): Promise<Cells | null> =>
    cellsOf(
      await target.sql(op, `SELECT id, v, n, owner FROM ${place.t} WHERE owner <> '${user.name}' ORDER BY id LIMIT 50`),
    );
  const isSame = (one: Cells | null, two: Cells | null): boolean => JSON.stringify(one) === JSON.stringify(two);
  const done: Write[] = [];
  let last = await look();
  for (const way of writes) {
    const said = saidOf(await target.sql(user, fill(way.sql, place)));
    // An accusation is looked at twice.
    const { last: now } = await askedTwice(look, (read) => read !== null && !isSame(read, last));
    const others = now === null || last === null ? "unread" : isSame(now, last) ? "same" : now;
    done.push({ way: way.name, said: { ...said, message: truncated(said.message, 200) }, others });
    last = now ?? last;
  }
  return done;
}

async function countOf(target: Target, as: Account, table: string): Promise<{ said: Said; rows: number | null }> {
  const answer = await target.sql(as, `SELECT COUNT(*) AS n FROM ${table}`);
  const cell = cellsOf(answer)?.[0]?.[0];
  return { said: saidOf(answer), rows: cell === undefined ? null : Number(cell) };
}

async function lookClosed(target: Target, as: Account, table: string): Promise<Closed> {
  const { last } = await askedTwice(
    async () => await countOf(target, as, table),
    ({ rows }) => (rows ?? 0) > 0,
  );
  const live = await connect(target, as);
  let snapshot: number | null = null;
  if (!("why" in live)) {
    const begun = await (await live.subscribe(`SELECT * FROM ${table}`)).begin();
    snapshot = begun.kind === "ready" ? begun.rows.length : begun.kind === "refused" ? 0 : null;
    live.close();
  }
  return { table: table.split(".")[1] ?? table, role: as.role, ...last, snapshot };
}

interface Scene {
  readonly t: string;
  readonly op: Account;
  readonly user: Account;
  readonly other: Account;
  readonly random: () => number;
  readonly secrets: readonly string[];
}

/** The user listens while the other inserts, changes and deletes rows, and while the dba moves rows into and out of reach. */
async function listen(target: Target, { t, op, user, other, random, secrets }: Scene): Promise<Listened> {
  const none = (why: string): Listened => ({
    opening: null,
    why,
    keys: [],
    ownArrived: false,
    foreign: [],
    exchange: 0,
  });
  const live = await connect(target, user);
  if ("why" in live) return none(live.why);
  const subscription = await live.subscribe(`SELECT * FROM ${t}`);
  const begun = await subscription.begin();
  const opening = openingOf(begun, subscription);
  const [passing, given, taken] = ["other", "other", "mine"].map((owner) => newRow(random, digits(random, 3), owner));
  const done: boolean[] = [];
  const run = async (as: Account, sql: string): Promise<unknown> =>
    done.push((await target.sql(as, sql)).kind === "ok");
  if (passing !== undefined && given !== undefined && taken !== undefined) {
    await run(other, inserted(t, [passing], other.name));
    await run(other, `UPDATE ${t} SET n = n + 1 WHERE id = ${passing.id}`);
    await run(other, `DELETE FROM ${t} WHERE id = ${passing.id}`);
    // A row that comes within reach with a new text: its old one stays the other's.
    await run(other, inserted(t, [given], other.name));
    await run(op, `UPDATE ${t} SET owner = '${user.name}', v = 'given', n = 1 WHERE id = ${given.id}`);
    // A row that goes out of reach: its new text is the other's.
    await run(user, inserted(t, [taken], user.name));
    await run(op, `UPDATE ${t} SET owner = '${other.name}', v = 'taken-${taken.n}' WHERE id = ${taken.id}`);
  }
  const fence = `fence-${digits(random, 1)}`;
  await run(user, `INSERT INTO ${t} (id, v, n, owner) VALUES (900, '${fence}', 1, '${user.name}')`);
  const ownArrived = (await subscription.untilChange(({ row }) => cellText(row?.["v"]) === fence, 8_000)) !== undefined;
  await run(op, `DELETE FROM ${t} WHERE id IN (900, ${given?.id ?? 0}, ${taken?.id ?? 0})`);
  const frames = live.frames.filter(({ about }) => about === subscription.id).map(({ json }) => JSON.stringify(json));
  live.close();
  const hidden = [...secrets, passing?.v, passing?.id, given?.v, given?.n, `taken-${taken?.n ?? ""}`];
  return {
    opening,
    why: done.includes(false) ? "the rows could not all be written while it listened" : "",
    keys: begun.kind === "ready" ? begun.rows.map(({ id }) => cellText(id)) : [],
    ownArrived,
    foreign: hidden.filter((text) => text !== undefined).filter((text) => frames.some((frame) => frame.includes(text))),
    exchange: subscription.exchange,
  };
}
