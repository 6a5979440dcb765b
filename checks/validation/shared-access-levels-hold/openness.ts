/** Shared tables of each access level, and who tried what on them. */
import type { Context } from "../../../src/check.ts";
import { saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { heard, isTold, listen, type Heard } from "../reaching/listening.ts";
import { cellsOf, inserting, newRow, tryWay, type Tried } from "../reaching/reach.ts";
import { readWays, type Cells, type Place, type ReadWay, type Row, type WriteWay } from "../reaching/ways.ts";

/** What KalamDB documents: all may read PUBLIC tables; the others are for service accounts and dbas, as is every write. */
export const levels = [
  { level: "PUBLIC", option: ", ACCESS_LEVEL='PUBLIC'", usersRead: true },
  { level: "PRIVATE", option: ", ACCESS_LEVEL='PRIVATE'", usersRead: false },
  // Reserved for finer rights; until then the same as PRIVATE.
  { level: "RESTRICTED", option: ", ACCESS_LEVEL='RESTRICTED'", usersRead: false },
  // Without a word on access: PRIVATE.
  { level: "default", option: "", usersRead: false },
] as const;

/** Ways that need no row of anybody else's. */
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
  "namespace beside the statement",
  "second in a batch",
  "in a transaction",
]);
const copied: ReadWay = {
  name: "copy into an own table",
  sql: "INSERT INTO {them} (id, v, n) SELECT id, v, n FROM {t}; SELECT v FROM {them}",
  shows: (rows) => rows.map(({ v }) => [v]),
};
export const sharedReads: readonly ReadWay[] = [...readWays.filter(({ name }) => names.has(name)), copied];
/** Enough to see that the door is open. */
export const openReads: readonly ReadWay[] = sharedReads.filter(({ name }) => ["SELECT *", "COUNT(*)"].includes(name));

function write(name: string, sql: string): WriteWay {
  return { name, sql, counts: () => 1 };
}

/** For those who may write each changes one row; in this order. */
export const sharedWrites: readonly WriteWay[] = [
  write("INSERT", "INSERT INTO {t} (id, v, n) VALUES ({theirKey}, '{theirValue}', 1)"),
  write("UPDATE by key", "UPDATE {t} SET n = n + 1 WHERE id = {theirKey}"),
  write("DELETE by key", "DELETE FROM {t} WHERE id = {theirKey}"),
];
/** For those who may not there are rows to be hurt. */
export const deniedWrites: readonly WriteWay[] = [
  write("INSERT", "INSERT INTO {t} (id, v, n) VALUES ({theirKey}, '{theirValue}', 1)"),
  write("INSERT in a transaction", "BEGIN; INSERT INTO {t} (id, v, n) VALUES ({theirKey}, '{theirValue}', 1); COMMIT"),
  write("UPDATE by key", "UPDATE {t} SET n = n + 1 WHERE id = 1"),
  write("UPDATE of every key", "UPDATE {t} SET n = n + 1 WHERE id > 0"),
  write("DELETE by key", "DELETE FROM {t} WHERE id = 1"),
  write("DELETE behind a query", "SELECT 1 AS one; DELETE FROM {t} WHERE id = 1"),
  write("open it", "ALTER TABLE {t} SET TBLPROPERTIES (ACCESS_LEVEL = 'PUBLIC')"),
  write("open it, in other words", "ALTER TABLE {t} SET ACCESS LEVEL PUBLIC"),
];

/** What a live query on the table came to; a sentence where there was no connection for it. */
export type Overheard = Heard | string;

export type Party = {
  readonly role: string;
  readonly reads: readonly Tried[];
  readonly listening: Overheard;
  /** `state`: the rows afterwards, as the one who made the table sees them; looked up only where nothing should change. */
  readonly writes: readonly (Tried & { readonly state: "same" | "unread" | "unasked" | Cells })[];
};

export type Openness = {
  readonly level: string;
  readonly rows: readonly Row[];
  readonly place: { readonly [Name in keyof Place]: string };
  readonly setUp: readonly Said[];
  readonly parties: readonly Party[];
};

/** One change of the level of an open table, and what a plain user reads right after its acknowledgement. */
export type Turn = { readonly to: string; readonly said: Said; readonly reads: readonly Tried[] };

/** A user's live query that was open when its table was shut. */
export type Kept = {
  /** Why there was none. */
  readonly why: string | null;
  /** Whether it was told of a row before. */
  readonly alive: boolean;
  /** Rows written after it; how many of them one with the right was told, and how many the user. */
  readonly written: number;
  readonly insiders: number;
  readonly leaked: number;
  /** Whether rows of another table, that were for the user, came after those on the same connection. */
  readonly fenced: boolean;
  /** The code with which the connection ended; null where it went on. */
  readonly ended: number | null;
  readonly exchange: number;
};

export type Turned = Pick<Openness, "rows" | "place"> & { readonly turns: readonly Turn[]; readonly kept: Kept };

/** What the ways need beside the table: one that everybody may read, and one for each user's own rows. */
export async function makeSurroundings(target: Target, { scratch }: Context, op: Account): Promise<Said[]> {
  const said: Said[] = [];
  for (const sql of [
    `CREATE TABLE ${scratch}.beside (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
    `CREATE TABLE ${scratch}.own (id BIGINT PRIMARY KEY, v TEXT, n BIGINT) WITH (TYPE='USER')`,
    `INSERT INTO ${scratch}.beside (id) VALUES (1), (2), (3)`,
  ])
    said.push(saidOf(await target.sql(op, sql)));
  return said;
}

/** One table of this level, tried by a plain user in every way, by a service account and a dba in some. */
export async function tryLevel(
  target: Target,
  context: Context,
  { level, option }: (typeof levels)[number],
  accounts: { readonly op: Account; readonly user: Account; readonly service: Account },
): Promise<Openness> {
  const { op, user, service } = accounts;
  const t = `${context.scratch}.l_${level.toLowerCase()}`;
  const rows = ["1", "2", "3"].map((id) => newRow(context, id, level.toLowerCase()));
  const places = [user, service, op].map((account, at) => placeOf(t, account, String(100 + at)));
  const [place] = places;
  const setUp: Said[] = [];
  for (const sql of [
    `CREATE TABLE ${t} (id BIGINT PRIMARY KEY, v TEXT, n BIGINT) WITH (TYPE='SHARED'${option})`,
    inserting(t, rows),
  ])
    setUp.push(saidOf(await target.sql(op, sql)));

  const look = async (): Promise<Cells | null> =>
    cellsOf(await target.sql(op, `SELECT id, v, n FROM ${t} ORDER BY id LIMIT 50`));
  const secrets = rows.flatMap(({ v, n }) => [v, n]);
  const party = async (as: Account, at: number): Promise<Party> => {
    const mine = places[at] ?? placeOf(t, as, "100");
    const denied = as.role === "user";
    const writes: Party["writes"][number][] = [];
    let last = denied ? JSON.stringify(await look()) : "";
    for (const way of denied ? deniedWrites : sharedWrites) {
      const tried = await tryWay(target, as, way, mine, secrets);
      const now = denied ? await look() : null;
      const same = JSON.stringify(now) === last;
      writes.push({ ...tried, state: !denied ? "unasked" : now === null ? "unread" : same ? "same" : now });
      if (now !== null) last = JSON.stringify(now);
    }
    const reads: Tried[] = [];
    for (const way of denied ? sharedReads : openReads) reads.push(await tryWay(target, as, way, mine, secrets));
    return { role: as.role, reads, listening: await overhear(target, as, t), writes };
  };
  // One after the other, so that it is known who changed what.
  const parties: Party[] = [];
  for (const [at, as] of [user, service, op].entries()) parties.push(await party(as, at));
  return { level, rows, place: { ...(place ?? placeOf(t, user, "100")) }, setUp, parties };
}

async function overhear(target: Target, as: Account, t: string): Promise<Overheard> {
  const listening = await listen(target, as, [{ name: liveQuery, sql: `SELECT * FROM ${t}` }]);
  if (typeof listening === "string") return listening;
  const [one] = heard(listening, []);
  listening.live.close();
  return one ?? "it was not tried";
}

export const liveQuery = "live query";

/** Opens and shuts a table; a user reads it each time right after the acknowledgement, and has a live query open when it is shut first. */
export async function turnLevels(target: Target, context: Context, op: Account, user: Account): Promise<Turned> {
  const t = `${context.scratch}.turned`;
  const rows = ["1", "2", "3"].map((id) => newRow(context, id, "turned"));
  const place = placeOf(t, user, "100");
  const turns: Turn[] = [];
  let kept: Kept = unkept("it was not tried");
  let look: (() => Promise<Kept>) | undefined;
  for (const [to, sql] of [
    [
      "PUBLIC",
      `CREATE TABLE ${t} (id BIGINT PRIMARY KEY, v TEXT, n BIGINT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC'); ${inserting(t, rows)}`,
    ],
    ["PRIVATE", `ALTER TABLE ${t} SET TBLPROPERTIES (ACCESS_LEVEL = 'PRIVATE')`],
    ["PUBLIC", `ALTER TABLE ${t} SET TBLPROPERTIES (ACCESS_LEVEL = 'PUBLIC')`],
    ["RESTRICTED", `ALTER TABLE ${t} SET ACCESS LEVEL RESTRICTED`],
  ] as const) {
    const said = saidOf(await target.sql(op, sql));
    const reads: Tried[] = [];
    for (const way of openReads)
      reads.push(
        await tryWay(
          target,
          user,
          way,
          place,
          rows.flatMap(({ v }) => [v]),
        ),
      );
    turns.push({ to, said, reads });
    if (turns.length === 1) look = await keepListening(target, t, op, user);
    else if (turns.length === 2 && look !== undefined) kept = await look();
  }
  return { rows, place: { ...place }, turns, kept };
}

const unkept = (why: string): Kept => ({
  why,
  alive: false,
  written: 0,
  insiders: 0,
  leaked: 0,
  fenced: false,
  ended: null,
  exchange: 0,
});
const keptRounds = 2;

/** Opens live queries on the table, and on a calm one; what it returns is to be called when the table is shut, and leaves the rows as they were. */
async function keepListening(target: Target, t: string, op: Account, user: Account): Promise<() => Promise<Kept>> {
  const calm = `${t}_calm`;
  const put = async (table: string, id: number, v: string): Promise<void> => {
    await target.sql(op, inserting(table, [{ id: String(id), v, n: "1" }]));
  };
  const made = await target.sql(
    op,
    `CREATE TABLE ${calm} (id BIGINT PRIMARY KEY, v TEXT, n BIGINT) WITH (TYPE='SHARED', ACCESS_LEVEL='PUBLIC')`,
  );
  const ways = [t, calm].map((table) => ({ name: liveQuery, sql: `SELECT * FROM ${table}` }));
  const outside = await listen(target, user, ways);
  const inside = await listen(target, op, ways.slice(0, 1));
  if (made.kind !== "ok" || typeof outside === "string" || typeof inside === "string") {
    const why = [outside, inside].find((one) => typeof one === "string") ?? saidOf(made).message;
    return async () => await Promise.resolve(unkept(why));
  }
  await put(t, 900, "kept-before");
  const alive = await isTold(outside, "kept-before");
  await target.sql(op, `DELETE FROM ${t} WHERE id = 900`);
  return async () => {
    let insiders = 0;
    let fenced = true;
    for (let n = 1; n <= keptRounds; n += 1) {
      await put(t, 900 + n, `kept-${n}`);
      if (await isTold(inside, `kept-${n}`)) insiders += 1;
      // Another table, so in no order with the first; but by the second of these the first had a whole round.
      await put(calm, n, `calm-${n}`);
      fenced = (await isTold(outside, `calm-${n}`, 1)) && fenced;
    }
    const told = heard(outside, [])[0]?.told.filter((text) => /^kept-\d/.test(text)) ?? [];
    const ended = outside.live.closed()?.code ?? null;
    for (const { live } of [outside, inside]) live.close();
    for (let n = 1; n <= keptRounds; n += 1) await target.sql(op, `DELETE FROM ${t} WHERE id = ${900 + n}`);
    const exchange = outside.queries[0]?.opening.exchange ?? 0;
    return { why: null, alive, written: keptRounds, insiders, leaked: told.length, fenced, ended, exchange };
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
