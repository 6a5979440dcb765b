/** Several accounts share a table, each with its own rows, and try every way to reach the rows of the others. */
import type { Context } from "../../../src/check.ts";
import { saidOf, type Account, type Target } from "../../../src/server/target.ts";
import { flushToSegments } from "../../vocabulary/cold.ts";
import { askedTwice } from "../../vocabulary/second-look.ts";
import { afterAWhile } from "../../vocabulary/looking-again.ts";
import { createSharedTable, createTable } from "../../vocabulary/tables.ts";
import { attempt, cellsOf, digits, insertRows, newRow, type Attempt } from "../row-access/attempt.ts";
import { delivers, listen, received, type Received } from "../row-access/live.ts";
import {
  fill,
  liveWays,
  readWays,
  sameCells,
  writeWays,
  type Cells,
  type LiveWay,
  type Place,
  type ReadWay,
  type Row,
  type WriteWay,
} from "../row-access/ways.ts";
import { isKeyRefusal, lookForTakenKey, type TakenKey } from "./taken-key.ts";

/** A table to make, and which accounts use it. */
export interface TablePlan {
  readonly name: string;
  readonly type: "USER" | "STREAM";
  readonly cold: boolean;
  /** Labels of the accounts. Null: the victim is a new account whose name begins with the visitor's. */
  readonly visitor: string;
  readonly victim: string | null;
  /** A service account and a dba try the broad ways, too. */
  readonly withPrivileged: boolean;
}

/** `all`: a plain user tries all ways. `light`: the broad ones and some others. `few`: every account tries some of the broad ones. */
export type Breadth = "all" | "light" | "few";

export type Person = { readonly name: string; readonly role: string; readonly rows: readonly Row[] };

/**
 * `victimRows`: the victim's rows after the statement: as before it, or what they are now. `misread`: they were read twice,
 * because the first SELECT showed these rows; the second one decides.
 */
export type Write = Attempt & { readonly victimRows: "same" | "unread" | Cells; readonly misread: Cells | null };

/** What the live queries of a visitor delivered while other accounts wrote. */
export type Listened = {
  readonly why: string | null;
  /** The text of an own row that was inserted and deleted meanwhile. */
  readonly own: string;
  /** Whether the first live query delivered that row and a later one. */
  readonly ownArrived: boolean;
  readonly received: readonly Received[];
};

export type Visit = {
  readonly who: Person;
  readonly place: { readonly [Name in keyof Place]: string };
  readonly reads: readonly Attempt[];
  readonly writes: readonly Write[];
  readonly listened: Listened;
};

export type TableSeen = {
  readonly table: string;
  readonly type: string;
  /** Has rows and only reads them; `atFirst` is what it read before any attempt. */
  readonly victim: Person;
  readonly atFirst: Cells | null;
  /** A row of the victim that was deleted before any attempt. */
  readonly deleted: readonly Row[];
  readonly visits: readonly Visit[];
  /** Which ways a plain user tries. */
  readonly breadth: Breadth;
  /** Accounts whose rows were seen in cold storage; null if they were to stay hot. */
  readonly cold: readonly string[] | null;
  /** Why the table could not be set up. The other tables are judged all the same, so this does not end the observation. */
  readonly unavailable: string | null;
  /** A key that an account could not insert because another one has it. */
  readonly taken: TakenKey | null;
};

const commonKeys = ["1", "2", "3"];
/** More than a visitor has in all, so that own rows shown twice and the rows of both differ in number. */
const victimOnlyKeys = 4;

/** Who tries it: accounts with more privileges, too, but at light effort only a service account, and on the flushed table. */
export function visitorsOf({ withPrivileged }: TablePlan, breadth: Breadth): readonly string[] {
  if (!withPrivileged || breadth === "light") return ["user"];
  return breadth === "few" ? ["user", "service"] : ["user", "service", "dba"];
}

/** Sets a table up and lets each visitor try everything. */
export async function visitTable(
  target: Target,
  context: Context,
  plan: TablePlan,
  breadth: Breadth,
): Promise<TableSeen> {
  const t = `${context.scratch}.${plan.name}`;
  const s = `${t}_s`;
  const random = context.random(plan.name);
  const op = await target.account("dba");
  const user = await target.account("user", plan.visitor);
  // A server that compares only prefixes of names confuses these two.
  const victim = plan.victim === null ? await target.fresh("user", user) : await target.account("user", plan.victim);
  const roles = visitorsOf(plan, breadth);
  const accounts = [
    user,
    ...(roles.includes("service") ? [await target.account("service")] : []),
    ...(roles.includes("dba") ? [op] : []),
  ];
  const owners = accounts.map((account) => ({
    account,
    rows: commonKeys.map((id) => newRow(random, id, account.role)),
  }));
  const victimRows = [
    ...commonKeys.map((id) => newRow(random, id, "victim")),
    // The victim has the lowest and the highest number of all.
    ...Array.from({ length: victimOnlyKeys }, (_, at) =>
      newRow(random, digits(random, 2), "victim", at === 0 ? 1 : at === 1 ? 9 : 5),
    ),
  ];
  const [deleted, ...passing] = [0, 1, 2].map(() => newRow(random, digits(random, 2), "victim")) as [Row, Row, Row];
  const seen: TableSeen = {
    table: plan.name,
    type: plan.type,
    victim: { name: victim.name, role: "victim", rows: victimRows },
    atFirst: null,
    deleted: [deleted],
    visits: [],
    breadth,
    cold: null,
    unavailable: null,
    taken: null,
  };

  const columns = "id BIGINT PRIMARY KEY, v TEXT, n BIGINT";
  const options = plan.type === "STREAM" ? { TTL_SECONDS: 3600 } : {};
  const unavailable = await setUp(target, [
    [op, createTable(t, { type: plan.type, columns, options })],
    ...createSharedTable(target.dialect, s, { columns: "id BIGINT PRIMARY KEY", readers: ["user"] }).map(
      (statement) => [op, statement] as const,
    ),
    [op, `INSERT INTO ${s} (id) VALUES (1), (2), (3), (${victimRows.at(-1)?.id ?? 4})`],
    [victim, insertRows(t, [...victimRows, deleted])],
  ]);
  if (unavailable !== null) return { ...seen, unavailable };
  for (const { account, rows } of owners) {
    const said = saidOf(await target.sql(account, insertRows(t, rows)));
    if (said.kind === "ok") continue;
    const taken = isKeyRefusal(said) ? await lookForTakenKey(target, context, account, t, rows) : null;
    return { ...seen, unavailable: said.message, taken };
  }
  let cold: string[] | null = null;
  if (plan.cold) {
    const names = [victim, ...accounts].map(({ name }) => name);
    const inSegments = await flushToSegments(target, context, op, t, names);
    if (typeof inSegments === "string") return { ...seen, unavailable: inSegments };
    cold = names.filter((name) => (inSegments[name] ?? 0) > 0);
  }
  const undeleted = await setUp(target, [[victim, `DELETE FROM ${t} WHERE id = ${deleted.id}`]]);
  if (undeleted !== null) return { ...seen, unavailable: undeleted };

  const look = async (): Promise<Cells | null> =>
    cellsOf(await target.sql(victim, `SELECT id, v, n FROM ${t} ORDER BY id LIMIT 50`));
  const atFirst = await look();
  const version = await versionColumn(target, victim, t);
  const visitors = owners.map(({ account, rows }) => ({
    account,
    rows,
    place: placeOf(t, s, version, { account, rows }, { account: victim, rows: victimRows }),
    secrets: secretsOf([
      ...victimRows,
      deleted,
      ...passing,
      ...owners.flatMap((other) => (other.account === account ? [] : other.rows)),
    ]),
  }));
  const reads = await Promise.all(
    visitors.map(async ({ account, rows, place, secrets }) => {
      const attempts: Attempt[] = [];
      for (const way of waysFor(account, readWays, breadth)) {
        const read = async (): Promise<Attempt> => await attempt(target, account, way, place, secrets);
        // An accusation is looked at twice. What is allowed to show nothing of others' is no accusation.
        attempts.push((await askedTwice(read, (tried) => mayLeak(way, tried, rows, place))).last);
      }
      return attempts;
    }),
  );
  const listened = await listenAll(target, random, t, { account: victim, passing }, visitors);
  // What was not read is nothing to compare with. Of the rows that the victim removed while others listened, one may be left.
  let last = await look();
  const visits: Visit[] = [];
  for (const [at, { account, rows, place, secrets }] of visitors.entries()) {
    const writes: Write[] = [];
    for (const way of waysFor(account, writeWays, breadth)) {
      if (way.refill === true) await refill(target, random, account, t, rows.length);
      const tried = await attempt(target, account, way, place, secrets);
      const isOther = (read: Cells | null): boolean => read !== null && JSON.stringify(read) !== JSON.stringify(last);
      const once = await look();
      const isOdd = isOther(once);
      // A SELECT that shows other rows than are there is no change of them.
      const now = isOdd ? await afterAWhile(context, look) : once;
      const isMisread = isOdd && now !== null && JSON.stringify(now) !== JSON.stringify(once);
      const victimRowsNow = now === null || last === null ? "unread" : isOther(now) ? now : "same";
      writes.push({ ...tried, victimRows: victimRowsNow, misread: isMisread ? once : null });
      last = now ?? last;
    }
    const who = { name: account.name, role: account.role, rows };
    visits.push({
      who,
      place,
      reads: reads[at] ?? [],
      writes,
      listened: listened[at] ?? notListened("it was not tried"),
    });
  }
  return { ...seen, atFirst, cold, visits };
}

/** Runs the statements in order; returns why one of them failed. */
async function setUp(target: Target, statements: readonly (readonly [Account, string])[]): Promise<string | null> {
  for (const [as, sql] of statements) {
    const answer = await target.sql(as, sql);
    if (answer.kind !== "ok") return saidOf(answer).message;
  }
  return null;
}

/** Uses new keys: if the server rejects the key of a deleted row, that says nothing about the rows of others. */
async function refill(target: Target, random: () => number, as: Account, t: string, number: number): Promise<void> {
  if (cellsOf(await target.sql(as, `SELECT id FROM ${t} LIMIT 50`))?.length !== 0) return;
  const rows = Array.from({ length: number }, () => newRow(random, digits(random, 2), as.role));
  await target.sql(as, insertRows(t, rows));
}

/** Whether an answer is not what the account's own rows make of it, or has something of others' in it. */
function mayLeak(way: ReadWay, { said, rows, foreign }: Attempt, own: readonly Row[], place: Place): boolean {
  if (foreign.length > 0) return true;
  return said.kind === "ok" && way.shows !== null && !sameCells(rows, way.shows(own, place), way.ordered === true);
}

const notListened = (why: string): Listened => ({ why, own: "", ownArrived: false, received: [] });

interface Visitor {
  readonly account: Account;
  readonly place: Place;
  readonly secrets: readonly string[];
}

/**
 * Every visitor listens while the victim inserts a row, deletes it and inserts another one. Each of these is followed by
 * a row of the visitor's own: when that of the second round has arrived, any misdirected row of the first has, too.
 */
async function listenAll(
  target: Target,
  random: () => number,
  t: string,
  victim: { readonly account: Account; readonly passing: readonly Row[] },
  visitors: readonly Visitor[],
): Promise<Listened[]> {
  const { passing } = victim;
  const listeners = await Promise.all(
    visitors.map(async ({ account, place, secrets }) => {
      const their = { ...place, theirKey: passing[0]?.id ?? "", theirValue: passing[0]?.v ?? "" };
      const ways = liveWaysFor(account).map(({ name, sql }) => ({ name, sql: fill(sql, their) }));
      const own = passing.map(() => newRow(random, digits(random, 2), account.role));
      return { account, secrets, own, listening: await listen(target, account, ways) };
    }),
  );
  const arrived = listeners.map(() => true);
  for (const [round, row] of passing.entries()) {
    const remove = async (as: Account, { id }: Row): Promise<unknown> =>
      await target.sql(as, `DELETE FROM ${t} WHERE id = ${id}`);
    await target.sql(victim.account, insertRows(t, [row]));
    await Promise.all(
      listeners.map(async ({ account, own, listening }, at) => {
        const mine = own[round] as Row;
        await target.sql(account, insertRows(t, [mine]));
        if (typeof listening === "string" || !(await delivers(listening, mine.v))) arrived[at] = false;
      }),
    );
    await remove(victim.account, row);
    await Promise.all(listeners.map(async ({ account, own }) => await remove(account, own[round] as Row)));
  }
  return listeners.map(({ own, secrets, listening }, at) => {
    if (typeof listening === "string") return notListened(listening);
    const all = received(listening, secrets);
    listening.live.close();
    return { why: null, own: own[0]?.v ?? "", ownArrived: arrived[at] === true, received: all };
  });
}

/** The ways for users; the broad ones for accounts with more privileges, and some of these where few are tried. */
export function waysFor<W extends ReadWay | WriteWay>(
  { role }: { readonly role: string },
  ways: readonly W[],
  breadth: Breadth,
): readonly W[] {
  if (breadth === "few") return ways.filter((way) => way.few === true && (role === "user" || way.broad === true));
  if (role === "user" && breadth === "all") return ways;
  const isLight = (way: W): boolean => role === "user" && breadth === "light" && way.light === true;
  return ways.filter((way) => way.broad === true || isLight(way));
}

/** All for users; the broad one for accounts with more privileges. */
export function liveWaysFor({ role }: { readonly role: string }): readonly LiveWay[] {
  return role === "user" ? liveWays : liveWays.filter((way) => way.broad === true);
}

/** `_seq`, or what a later version calls it. */
async function versionColumn(target: Target, as: Account, table: string): Promise<string> {
  const answer = await target.sql(as, `SELECT * FROM ${table} LIMIT 1`);
  const columns = answer.kind === "ok" ? (answer.results[0]?.columns ?? []) : [];
  return columns.map(({ name }) => name).find((name) => name.startsWith("_") && name !== "_deleted") ?? "_seq";
}

interface Owner {
  readonly account: Account;
  readonly rows: readonly Row[];
}

function placeOf(t: string, s: string, version: string, me: Owner, them: Owner): Place {
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

/** What occurs only in these rows; keys that every account has do not count. */
function secretsOf(rows: readonly Row[]): readonly string[] {
  return rows.flatMap(({ id, v, n }) => [v, n, ...(commonKeys.includes(id) ? [] : [id])]);
}
