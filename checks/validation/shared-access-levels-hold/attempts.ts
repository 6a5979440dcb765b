/** Attempts by several accounts on shared tables of each access level. */
import type { Context } from "../../../src/check.ts";
import { saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { changeReaders, createSharedTable, makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { askedTwice } from "../../vocabulary/second-look.ts";
import { attempt, cellsOf, insertRows, newRow, type Attempt } from "../row-access/attempt.ts";
import { delivers, listen, received, type Received } from "../row-access/live.ts";
import { columns, mayRead, mayWrite, type Access, type Level } from "./levels.ts";
import { readWays, type Cells, type Place, type ReadWay, type Row, type WriteWay } from "../row-access/ways.ts";

/** Ways that need no row of another account. */
const names = new Set([
  "SELECT *",
  "by key",
  "COUNT(*)",
  "SUM",
  "MIN and MAX of a number",
  "JOIN",
  "IN",
  "EXISTS",
  "subquery as a value",
  "CTE",
  "UNION ALL",
  "namespace in the request",
  "second in a batch",
  "in a transaction",
]);
const copied: ReadWay = {
  name: "copy into an own table",
  sql: "INSERT INTO {them} (id, v, n) SELECT id, v, n FROM {t}; SELECT v FROM {them}",
  shows: (rows) => rows.map(({ v }) => [v]),
};
export const sharedReads: readonly ReadWay[] = [...readWays.filter(({ name }) => names.has(name)), copied];
/** Enough to see that a table can be read. */
export const openReads: readonly ReadWay[] = sharedReads.filter(({ name }) => ["SELECT *", "COUNT(*)"].includes(name));

function write(name: string, sql: string): WriteWay {
  return { name, sql, counts: () => 1 };
}

/** For accounts that may write: each changes one row, in this order. */
export const sharedWrites: readonly WriteWay[] = [
  write("INSERT", "INSERT INTO {t} (id, v, n) VALUES ({theirKey}, '{theirValue}', 1)"),
  write("UPDATE by key", "UPDATE {t} SET n = n + 1 WHERE id = {theirKey}"),
  write("DELETE by key", "DELETE FROM {t} WHERE id = {theirKey}"),
];
const deniedEverywhere: readonly WriteWay[] = [
  write("INSERT", "INSERT INTO {t} (id, v, n) VALUES ({theirKey}, '{theirValue}', 1)"),
  write("INSERT in a transaction", "BEGIN; INSERT INTO {t} (id, v, n) VALUES ({theirKey}, '{theirValue}', 1); COMMIT"),
  write("UPDATE by key", "UPDATE {t} SET n = n + 1 WHERE id = 1"),
  write("UPDATE of every key", "UPDATE {t} SET n = n + 1 WHERE id > 0"),
  write("DELETE by key", "DELETE FROM {t} WHERE id = 1"),
  write("DELETE after a query", "SELECT 1 AS one; DELETE FROM {t} WHERE id = 1"),
];
/** For accounts that may not write: each would change existing rows, or open the table. */
const allDenied: { readonly [A in Access]: readonly WriteWay[] } = {
  levels: [
    ...deniedEverywhere,
    write("open it", "ALTER TABLE {t} SET TBLPROPERTIES (ACCESS_LEVEL = 'PUBLIC')"),
    write("open it, in other syntax", "ALTER TABLE {t} SET ACCESS LEVEL PUBLIC"),
  ],
  policies: [
    ...deniedEverywhere,
    write("open it", "CREATE POLICY kr_mine ON {t} FOR ALL TO user, service USING (true) WITH CHECK (true)"),
    write("close it to others", "DROP POLICY kr_services ON {t}"),
  ],
};

export function deniedWrites(access: Access): readonly WriteWay[] {
  return allDenied[access];
}

/** A plain user tries `all` on each level; at light effort all on PRIVATE, and of the others these. */
export type Breadth = "all" | "some";
const someReads = new Set(["SELECT *", "COUNT(*)", copied.name]);
const someWrites = new Set(["INSERT", "UPDATE by key", "open it"]);

/** What an account tries that may write, at light effort one change and its removal. */
export function writesFor(breadth: Breadth): readonly WriteWay[] {
  return breadth === "all" ? sharedWrites : sharedWrites.filter(({ name }) => name !== "UPDATE by key");
}

/** What an account tries that may read and write. */
export function openReadsFor(breadth: Breadth): readonly ReadWay[] {
  return breadth === "all" ? openReads : openReads.slice(0, 1);
}

/** Which accounts try a table: a dba may do everything on each, which one table shows. */
export function rolesFor(breadth: Breadth): readonly string[] {
  return breadth === "all" ? ["user", "service", "dba"] : ["user", "service"];
}

export function readsFor(breadth: Breadth): readonly ReadWay[] {
  return breadth === "all" ? sharedReads : sharedReads.filter(({ name }) => someReads.has(name));
}

export function deniedFor(access: Access, breadth: Breadth): readonly WriteWay[] {
  const ways = deniedWrites(access);
  return breadth === "all" ? ways : ways.filter(({ name }) => someWrites.has(name));
}

export const liveQuery = "live query";

export type Party = {
  readonly role: string;
  readonly reads: readonly Attempt[];
  /** What a live query on the table delivered; the reason if there was no connection. */
  readonly listening: Received | string;
  /**
   * `state`: the rows afterwards, as the table's owner sees them; read only where nothing must change, and where few ways are
   * tried only after the last of them (`later`).
   */
  readonly writes: readonly (Attempt & { readonly state: "same" | "unread" | "unasked" | "later" | Cells })[];
};

export type TableSeen = {
  readonly level: string;
  readonly rows: readonly Row[];
  readonly place: { readonly [Name in keyof Place]: string };
  /** Why the table could not be set up: a server may lack a level. The other levels are judged all the same. */
  readonly unavailable: string | null;
  readonly breadth: Breadth;
  readonly parties: readonly Party[];
};

/** One change of a table's level, and what a plain user reads right after it was acknowledged. */
export type LevelChange = { readonly to: string; readonly said: Said; readonly reads: readonly Attempt[] };

/** A user's live query that is open when its table becomes PRIVATE. */
export type OpenQuery = {
  /** Why there is none. */
  readonly why: string | null;
  /** Whether it delivered a row before. */
  readonly worked: boolean;
  /** Rows written after the change; how many of them the dba's live query delivered, and how many the user's. */
  readonly written: number;
  readonly dbaReceived: number;
  readonly leaked: number;
  /** Whether later rows of a PUBLIC table arrived on the same connection. */
  readonly fenceArrived: boolean;
  /** The code with which the connection ended; null if it stayed open. */
  readonly ended: number | null;
  readonly exchange: number;
};

export type LevelChanges = Pick<TableSeen, "rows" | "place"> & {
  readonly changes: readonly LevelChange[];
  readonly openQuery: OpenQuery;
};

/** What the ways need besides the table: two tables that all may read, and one for each user's own rows. */
export async function makeSurroundings(target: Target, context: Context, op: Account): Promise<void> {
  const { scratch, need } = context;
  const beside = `${scratch}.beside`;
  await sharedTable(target, context, op, beside, { columns: "id BIGINT PRIMARY KEY", readers: ["user"] });
  await sharedTable(target, context, op, `${scratch}.calm`, { columns, readers: ["user"] });
  await makeTable(target, context, op, `${scratch}.own`, { columns });
  need(await target.sql(op, `INSERT INTO ${beside} (id) VALUES (1), (2), (3)`), "the rows could not be written");
}

/** One table of this level: a plain user tries every way, a service account and a dba some. */
export async function tryLevel(
  target: Target,
  context: Context,
  access: Access,
  level: Level,
  { op, user, service }: { readonly op: Account; readonly user: Account; readonly service: Account },
): Promise<TableSeen> {
  const name = level.level.toLowerCase();
  const t = `${context.scratch}.l_${name}`;
  const random = context.random(level.level);
  const rows = ["1", "2", "3"].map((id) => newRow(random, id, name));
  const breadth = context.effort === "light" && level.level !== "PRIVATE" ? "some" : "all";
  const about = { level: level.level, rows, place: { ...placeOf(t, user, "100") }, breadth } as const;
  const seen = { ...about, unavailable: null, parties: [] } as const;
  const answer = await target.sql(op, [...level.make(t), insertRows(t, rows)].join("; "));
  if (answer.kind !== "ok") return { ...seen, unavailable: saidOf(answer).message };

  const look = async (): Promise<Cells | null> =>
    cellsOf(await target.sql(op, `SELECT id, v, n FROM ${t} ORDER BY id LIMIT 50`));
  const secrets = rows.flatMap(({ v, n }) => [v, n]);
  const party = async (as: Account, place: Place): Promise<Party> => {
    const denied = !mayWrite(level, as.role);
    const writes: Party["writes"][number][] = [];
    // What was not read is nothing to compare with.
    let last = denied ? await look() : null;
    const ways = denied ? deniedFor(access, breadth) : writesFor(breadth);
    for (const [at, way] of ways.entries()) {
      const writeIt = async (): Promise<Attempt> => await attempt(target, as, way, place, secrets);
      // An accusation is looked at twice: what was accepted is tried again, and changed rows are read again.
      const { last: tried } = denied ? await askedTwice(writeIt, isAccepted) : { last: await writeIt() };
      if (!denied || (breadth === "some" && at < ways.length - 1)) {
        writes.push({ ...tried, state: denied ? "later" : "unasked" });
        continue;
      }
      const { last: now } = await askedTwice(look, (read) => read !== null && !isSame(read, last));
      writes.push({ ...tried, state: now === null || last === null ? "unread" : isSame(now, last) ? "same" : now });
      last = now ?? last;
    }
    const reads: Attempt[] = [];
    for (const way of denied ? readsFor(breadth) : openReadsFor(breadth)) {
      const read = async (): Promise<Attempt> => await attempt(target, as, way, place, secrets);
      reads.push((!mayRead(level, as.role) ? await askedTwice(read, isAccepted) : { last: await read() }).last);
    }
    return { role: as.role, reads, listening: await listenBriefly(target, as, t), writes };
  };
  // One after another, so that each change can be attributed.
  const parties: Party[] = [];
  for (const [at, as] of [user, service, op].entries())
    if (rolesFor(breadth).includes(as.role)) parties.push(await party(as, placeOf(t, as, String(100 + at))));
  return { ...seen, parties };
}

function isSame(one: Cells, other: Cells | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isAccepted({ said }: Attempt): boolean {
  return said.kind === "ok";
}

async function listenBriefly(target: Target, as: Account, t: string): Promise<Received | string> {
  const listening = await listen(target, as, [{ name: liveQuery, sql: `SELECT * FROM ${t}` }]);
  if (typeof listening === "string") return listening;
  const [one] = received(listening, []);
  listening.live.close();
  return one ?? "it was not tried";
}

/** The statements that open and close a table, the first of which makes it. */
function changesOf(target: Target, access: Access, t: string, insert: string): readonly (readonly [string, string])[] {
  const make = [...createSharedTable(target.dialect, t, { columns, readers: ["user"] }), insert].join("; ");
  const change = (open: boolean): readonly [string, string] => [
    open ? "PUBLIC" : "PRIVATE",
    changeReaders(target.dialect, t, { open }),
  ];
  const last = ["RESTRICTED", `ALTER TABLE ${t} SET ACCESS LEVEL RESTRICTED`] as const;
  return [["PUBLIC", make], change(false), change(true), access === "levels" ? last : change(false)];
}

/** Opens and closes a table; a user reads it right after each change, and has a live query open when it is first closed. */
export async function changeLevels(
  target: Target,
  context: Context,
  access: Access,
  { op, user }: { readonly op: Account; readonly user: Account },
): Promise<LevelChanges> {
  const t = `${context.scratch}.turned`;
  const random = context.random("turned");
  const rows = ["1", "2", "3"].map((id) => newRow(random, id, "turned"));
  const texts = rows.map(({ v }) => v);
  const place = placeOf(t, user, "100");
  const changes: LevelChange[] = [];
  let openQuery = noQuery("it was not tried");
  let look: (() => Promise<OpenQuery>) | undefined;
  for (const [to, sql] of changesOf(target, access, t, insertRows(t, rows))) {
    const said = saidOf(await target.sql(op, sql));
    const reads: Attempt[] = [];
    for (const way of openReads) reads.push(await attempt(target, user, way, place, texts));
    changes.push({ to, said, reads });
    if (changes.length === 1) look = await openLiveQuery(target, t, `${context.scratch}.calm`, op, user);
    else if (changes.length === 2 && look !== undefined) openQuery = await look();
  }
  return { rows, place: { ...place }, changes, openQuery };
}

const noQuery = (why: string): OpenQuery => ({
  why,
  worked: false,
  written: 0,
  dbaReceived: 0,
  leaked: 0,
  fenceArrived: false,
  ended: null,
  exchange: 0,
});
const rounds = 2;

/**
 * Opens live queries on the table, and on one whose level does not change (`calm`). The function it returns is to be
 * called when the table is PRIVATE; it leaves the rows as they were.
 */
async function openLiveQuery(
  target: Target,
  t: string,
  calm: string,
  op: Account,
  user: Account,
): Promise<() => Promise<OpenQuery>> {
  const put = async (table: string, id: number, v: string): Promise<void> => {
    await target.sql(op, insertRows(table, [{ id: String(id), v, n: "1" }]));
  };
  const ways = [t, calm].map((table) => ({ name: liveQuery, sql: `SELECT * FROM ${table}` }));
  const users = await listen(target, user, ways);
  if (typeof users === "string") return async () => await Promise.resolve(noQuery(users));
  const dbas = await listen(target, op, ways.slice(0, 1));
  if (typeof dbas === "string") return async () => await Promise.resolve(noQuery(dbas));
  await put(t, 900, "kept-before");
  const worked = await delivers(users, "kept-before");
  await target.sql(op, `DELETE FROM ${t} WHERE id = 900`);
  return async () => {
    let dbaReceived = 0;
    let fenceArrived = true;
    for (let n = 1; n <= rounds; n += 1) {
      await put(t, 900 + n, `kept-${n}`);
      if (await delivers(dbas, `kept-${n}`)) dbaReceived += 1;
      // Two tables have no common order, but when the second of these arrives, the first row has had a whole round.
      await put(calm, n, `calm-${n}`);
      fenceArrived = (await delivers(users, `calm-${n}`, 1)) && fenceArrived;
    }
    const leaked = received(users, [])[0]?.delivered.filter((text) => /^kept-\d/.test(text)).length ?? 0;
    const ended = users.live.closed()?.code ?? null;
    for (const { live } of [users, dbas]) live.close();
    await target.sql(op, `DELETE FROM ${t} WHERE id > 900`);
    const exchange = users.queries[0]?.opening.exchange ?? 0;
    return { why: null, worked, written: rounds, dbaReceived, leaked, fenceArrived, ended, exchange };
  };
}

function placeOf(t: string, me: Account, key: string): Place {
  const [namespace = "", name = ""] = t.split(".");
  return {
    t,
    s: `${namespace}.beside`,
    namespace,
    name,
    quoted: `"${namespace}"."${name}"`,
    version: "_seq",
    myValue: "",
    theirKey: key,
    theirValue: `by-${me.role}`,
    me: me.name,
    them: `${namespace}.own`,
  };
}
