/** Accounts side by side in one table, each with rows of its own, each trying every way to reach a row. */
import type { Context } from "../../../src/check.ts";
import { saidOf, type Account, type Answer, type Target } from "../../../src/server/target.ts";
import { flushToSegments } from "../../vocabulary/cold.ts";
import { cellsOf, digits, inserting, newRow, tryWay, type Tried } from "../reaching/reach.ts";
import { heard, isTold, listen, type Heard } from "../reaching/listening.ts";
import {
  fill,
  liveWays,
  readWays,
  writeWays,
  type Cells,
  type LiveWay,
  type Place,
  type ReadWay,
  type Row,
  type WriteWay,
} from "../reaching/ways.ts";

/** A table of a kind, and what happens to its rows before anybody tries anything. */
export interface RoomPlan {
  readonly name: string;
  readonly type: "USER" | "STREAM";
  readonly cold: boolean;
  /** Labels of the accounts. A watcher that is null has a name that begins like the visitor's. */
  readonly visitor: string;
  readonly watcher: string | null;
  /** A service account and a dba try the broad ways here. */
  readonly withRights: boolean;
}

export type Person = { readonly name: string; readonly role: string; readonly rows: readonly Row[] };

/** `watched`: the rows of the one who only watches, looked up after it: the same as before, or what they are now. */
export type Written = Tried & { readonly watched: "same" | "unread" | Cells };

/** Live queries of a visitor's while somebody else writes, and what came by each. */
export type Listened = {
  readonly why: string | null;
  /** The text of an own row that was written and taken away meanwhile. */
  readonly own: string;
  /** Whether the first of the live queries was told of that one, and of another one after it. */
  readonly came: boolean;
  readonly heard: readonly Heard[];
};

export type Visit = {
  readonly who: Person;
  readonly place: { readonly [Name in keyof Place]: string };
  readonly reads: readonly Tried[];
  readonly writes: readonly Written[];
  readonly listened: Listened;
};

export type Room = {
  readonly room: string;
  readonly type: string;
  /** Has rows, and only looks at them; what was seen before anybody tried anything. */
  readonly watcher: Person;
  readonly atFirst: Cells | null;
  /** A row of the watcher's, deleted by then. */
  readonly deleted: readonly Row[];
  readonly visits: readonly Visit[];
  /** Whose rows were seen in cold storage; null where they were to stay hot. */
  readonly cold: readonly string[] | null;
  /** Why nothing could be tried. */
  readonly trouble: string | null;
};

const everybodysKeys = ["1", "2", "3"];
/** More than one visitor has, so that rows shown twice are not as many as rows shown of both. */
const watcherOnlyKeys = 4;

/** Fills a table and has it visited. */
export async function visitRoom(target: Target, context: Context, plan: RoomPlan): Promise<Room> {
  const t = `${context.scratch}.${plan.name}`;
  const s = `${t}_s`;
  const op = await target.account("dba");
  const alice = await target.account("user", plan.visitor);
  // Whoever takes the beginning of a name for the name mixes the two up.
  const bob = plan.watcher === null ? await target.fresh("user", alice) : await target.account("user", plan.watcher);
  const visitors = [alice, ...(plan.withRights ? [await target.account("service"), op] : [])].map((account) => ({
    account,
    rows: everybodysKeys.map((id) => newRow(context, id, account.role)),
  }));
  const watched = [
    ...everybodysKeys.map((id) => newRow(context, id, "watcher")),
    // The lowest and the highest number of all are the watcher's.
    ...Array.from({ length: watcherOnlyKeys }, (_, at) =>
      newRow(context, digits(context, 2), "watcher", at === 0 ? 1 : at === 1 ? 9 : 5),
    ),
  ];
  const deleted = newRow(context, digits(context, 2), "watcher");
  const room: Room = {
    room: plan.name,
    type: plan.type,
    watcher: { name: bob.name, role: "watcher", rows: watched },
    atFirst: null,
    deleted: [deleted],
    visits: [],
    cold: null,
    trouble: null,
  };

  const options = plan.type === "USER" ? "TYPE='USER'" : "TYPE='STREAM', TTL_SECONDS=3600";
  const trouble = await firstTrouble([
    async () => await target.sql(op, `CREATE TABLE ${t} (id BIGINT PRIMARY KEY, v TEXT, n BIGINT) WITH (${options})`),
    async () =>
      await target.sql(op, `CREATE TABLE ${s} (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`),
    async () => await target.sql(op, `INSERT INTO ${s} (id) VALUES (1), (2), (3), (${watched.at(-1)?.id ?? 4})`),
    async () => await target.sql(bob, inserting(t, [...watched, deleted])),
    ...visitors.map(
      ({ account, rows }) =>
        async () =>
          await target.sql(account, inserting(t, rows)),
    ),
  ]);
  if (trouble !== null) return { ...room, trouble };
  let cold: string[] | null = null;
  if (plan.cold) {
    const names = [bob, ...visitors.map(({ account }) => account)].map(({ name }) => name);
    const shown = await flushToSegments(target, context, op, t, names);
    if (typeof shown === "string") return { ...room, trouble: shown };
    cold = names.filter((name) => (shown[name] ?? 0) > 0);
  }
  const removed = await target.sql(bob, `DELETE FROM ${t} WHERE id = ${deleted.id}`);
  if (removed.kind !== "ok") return { ...room, trouble: saidOf(removed).message };

  const look = async (): Promise<Cells | null> =>
    cellsOf(await target.sql(bob, `SELECT id, v, n FROM ${t} ORDER BY id LIMIT 50`));
  const atFirst = await look();
  const version = await versionColumn(target, bob, t);
  const passing = [1, 2].map(() => newRow(context, digits(context, 2), "watcher"));
  const guests = visitors.map(({ account, rows }) => ({
    account,
    rows,
    place: placeOf(t, s, version, { account, rows }, { account: bob, rows: watched }),
    secrets: secretsOf([
      ...watched,
      deleted,
      ...passing,
      ...visitors.flatMap((other) => (other.account === account ? [] : other.rows)),
    ]),
  }));
  const reads = await Promise.all(
    guests.map(async ({ account, place, secrets }) => {
      const tried: Tried[] = [];
      for (const way of waysFor(account, readWays)) tried.push(await tryWay(target, account, way, place, secrets));
      return tried;
    }),
  );
  const listened = await listenAll(target, context, t, { account: bob, passing }, guests);
  let last = JSON.stringify(atFirst);
  const visits: Visit[] = [];
  for (const [at, { account, rows, place, secrets }] of guests.entries()) {
    const writes: Written[] = [];
    for (const way of waysFor(account, writeWays)) {
      if (way.refill === true) await refill(target, context, account, t, rows.length);
      const tried = await tryWay(target, account, way, place, secrets);
      const now = await look();
      writes.push({ ...tried, watched: now === null ? "unread" : JSON.stringify(now) === last ? "same" : now });
      if (now !== null) last = JSON.stringify(now);
    }
    const who = { name: account.name, role: account.role, rows };
    visits.push({ who, place, reads: reads[at] ?? [], writes, listened: listened[at] ?? unheard });
  }
  return { ...room, atFirst, cold, visits };
}

/** Under other keys: a server that does not take a key again that was deleted has nobody else's rows for that. */
async function refill(target: Target, context: Context, as: Account, t: string, number: number): Promise<void> {
  if (cellsOf(await target.sql(as, `SELECT id FROM ${t} LIMIT 50`))?.length !== 0) return;
  const rows = Array.from({ length: number }, () => newRow(context, digits(context, 2), as.role));
  await target.sql(as, inserting(t, rows));
}

const unheard: Listened = { why: "it was not tried", own: "", came: false, heard: [] };

interface Guest {
  readonly account: Account;
  readonly place: Place;
  readonly secrets: readonly string[];
}

/**
 * Everybody listens while the watcher writes a row, takes it away and writes another one. Each time one's own row comes
 * after what is another's: by the end of the second round what was to come by mistake of the first has come.
 */
async function listenAll(
  target: Target,
  context: Context,
  t: string,
  watcher: { readonly account: Account; readonly passing: readonly Row[] },
  guests: readonly Guest[],
): Promise<Listened[]> {
  const { passing } = watcher;
  const listeners = await Promise.all(
    guests.map(async ({ account, place, secrets }) => {
      const their = { ...place, theirKey: passing[0]?.id ?? "", theirValue: passing[0]?.v ?? "" };
      const ways = waysFor(account, liveWays).map(({ name, sql }) => ({ name, sql: fill(sql, their) }));
      const own = passing.map(() => newRow(context, digits(context, 2), account.role));
      return { account, secrets, own, listening: await listen(target, account, ways) };
    }),
  );
  const write = async (as: Account, row: Row | undefined): Promise<void> => {
    if (row !== undefined) await target.sql(as, inserting(t, [row]));
  };
  const takeAway = async (as: Account, row: Row | undefined): Promise<void> => {
    if (row !== undefined) await target.sql(as, `DELETE FROM ${t} WHERE id = ${row.id}`);
  };
  const came = listeners.map(() => true);
  for (const round of passing.keys()) {
    await write(watcher.account, passing[round]);
    await Promise.all(
      listeners.map(async ({ account, own, listening }, at) => {
        await write(account, own[round]);
        const text = own[round]?.v ?? "";
        if (typeof listening === "string" || !(await isTold(listening, text))) came[at] = false;
      }),
    );
    await takeAway(watcher.account, passing[round]);
    await Promise.all(listeners.map(async ({ account, own }) => await takeAway(account, own[round])));
  }
  return listeners.map(({ own, secrets, listening }, at) => {
    if (typeof listening === "string") return { ...unheard, why: listening };
    const seen = heard(listening, secrets);
    listening.live.close();
    return { why: null, own: own[0]?.v ?? "", came: came[at] === true, heard: seen };
  });
}

async function firstTrouble(steps: readonly (() => Promise<Answer>)[]): Promise<string | null> {
  for (const step of steps) {
    const answer = await step();
    if (answer.kind !== "ok") return saidOf(answer).message;
  }
  return null;
}

function waysFor<W extends ReadWay | WriteWay | LiveWay>({ role }: Account, ways: readonly W[]): readonly W[] {
  return role === "user" ? ways : ways.filter((way) => way.broad === true);
}

/** `_seq`, or what a later version calls it. */
async function versionColumn(target: Target, as: Account, table: string): Promise<string> {
  const answer = await target.sql(as, `SELECT * FROM ${table} LIMIT 1`);
  const columns = answer.kind === "ok" ? (answer.results[0]?.columns ?? []) : [];
  return columns.map(({ name }) => name).find((name) => name.startsWith("_") && name !== "_deleted") ?? "_seq";
}

function placeOf(
  t: string,
  s: string,
  version: string,
  me: { account: Account; rows: readonly Row[] },
  them: { account: Account; rows: readonly Row[] },
): Place {
  const [namespace = "", name = ""] = t.split(".");
  return {
    t,
    s,
    namespace,
    name,
    quoted: `"${namespace}"."${name}"`,
    version,
    myValue: me.rows[0]?.v ?? "",
    theirKey: them.rows.at(-1)?.id ?? "",
    theirValue: them.rows.at(-2)?.v ?? "",
    me: me.account.name,
    them: them.account.name,
  };
}

/** What only these rows have: not the keys that everybody has. */
function secretsOf(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ id, v, n }) => [v, n, ...(everybodysKeys.includes(id) ? [] : [id])]);
}
