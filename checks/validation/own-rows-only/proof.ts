import { shareKeys } from "../../../src/faults/gallery/keys.ts";
import { listenAs } from "../../../src/faults/live.ts";
import { actAs, claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import type { Person, TableSeen, Visit } from "./visit.ts";
import { ownRowsOnly, plans } from "./index.ts";
import { liveWays, readWays, writeWays, type Place, type Row } from "../row-access/ways.ts";

const row = (id: string, who: string, n: number): Row => ({ id, v: `${who}-${id}`, n: String(n) });
const person = (role: string, from: number, more: readonly string[] = []): Person => ({
  name: `kr_a1b2c_${role}_1`,
  role,
  rows: ["1", "2", "3", ...more].map((id, at) => row(id, role, from + at * at)),
});
const victim = person("victim", 500_000, ["200000001", "200000002", "200000003", "200000004"]);
const deleted = row("200000005", "victim", 900_000);
const denied = no("PERMISSION_DENIED", "not authorized", "permission", 403);

function placeFor(name: string, { rows }: Person): Place {
  return {
    t: `kr_a1b2c_1.${name}`,
    s: `kr_a1b2c_1.${name}_s`,
    namespace: "kr_a1b2c_1",
    name,
    quoted: `"kr_a1b2c_1"."${name}"`,
    version: "_seq",
    myValue: rows[0]?.v ?? "",
    theirKey: "200000004",
    theirValue: "victim-200000003",
    me: "kr_a1b2c_user_1",
    them: victim.name,
  };
}

/** What a server that keeps the accounts apart answers. */
export function soundTables(): TableSeen[] {
  return plans.map(({ name, type, cold, withPrivileged }) => {
    const people = [
      person("user", 100_000),
      ...(withPrivileged ? [person("service", 200_000), person("dba", 300_000)] : []),
    ];
    return {
      table: name,
      type,
      victim,
      atFirst: victim.rows.map(({ id, v, n }) => [id, v, n]),
      deleted: [deleted],
      breadth: "all",
      cold: cold ? [victim, ...people].map((one) => one.name) : null,
      unavailable: null,
      taken: null,
      visits: people.map((who): Visit => {
        const place = placeFor(name, who);
        const mine = <W extends { readonly broad?: true }>(ways: readonly W[]): readonly W[] =>
          who.role === "user" ? ways : ways.filter((way) => way.broad === true);
        return {
          who,
          place: { ...place },
          reads: mine(readWays).map((way) => ({
            way: way.name,
            said: yes(""),
            rows: way.shows === null ? null : way.shows(who.rows, place),
            count: null,
            foreign: [],
          })),
          writes: mine(writeWays).map((way) => ({
            way: way.name,
            said: way.forbidden === true ? denied : yes(""),
            rows: null,
            count: way.forbidden === true ? null : way.counts(who.rows.length),
            foreign: [],
            victimRows: "same",
            misread: null,
          })),
          listened: {
            why: null,
            own: `${who.role}-here`,
            ownArrived: true,
            received: mine(liveWays).map((way) => ({
              way: way.name,
              opening: { kind: "ready", code: "", message: "", reason: "", exchange: 1 },
              rows: way.shows(who.rows),
              delivered: way.delivers ? [`${who.role}-here`] : [],
              foreign: [],
            })),
          },
        };
      }),
    };
  });
}

/** Sound evidence with one live query of a visitor, or all of them, changed. */
export function withLive(
  way: string,
  change: Partial<Visit["listened"]["received"][number]>,
  all: Partial<Visit["listened"]> = {},
  who: { table: string; role: string } = { table: "hot", role: "user" },
): { tables: TableSeen[] } {
  return changed(who, (visit) => {
    const received = visit.listened.received.map((one) => (one.way === way ? { ...one, ...change } : one));
    return { ...visit, listened: { ...visit.listened, received, ...all } };
  });
}

type Change<Of extends "reads" | "writes"> = Partial<Visit[Of][number]>;

/** Sound evidence with one attempt of a visitor changed. */
export function withAttempt<Of extends "reads" | "writes">(
  of: Of,
  way: string,
  change: Change<Of>,
  { table = "hot", role = "user" }: { table?: string; role?: string } = {},
): { tables: TableSeen[] } {
  return changed({ table, role }, (visit) => ({
    ...visit,
    [of]: visit[of].map((one) => (one.way === way ? { ...one, ...change } : one)),
  }));
}

function changed(who: { table: string; role: string }, change: (visit: Visit) => Visit): { tables: TableSeen[] } {
  const tables = soundTables().map((seen) => ({
    ...seen,
    visits: seen.visits.map((visit) =>
      seen.table === who.table && visit.who.role === who.role ? change(visit) : visit,
    ),
  }));
  return { tables };
}

const sound = { tables: soundTables() };
const flushed = (change: Partial<TableSeen>) => ({
  tables: sound.tables.map((seen) => (seen.table === "flushed" ? { ...seen, ...change } : seen)),
});
const refusal = no("SQL_EXECUTION_ERROR", "SQL statement failed", "");
const byVictim = /^INSERT INTO \S+\.hot .*'victim-/;

export default proveCheck(ownRowsOnly, {
  holds: [
    sound,
    withAttempt("reads", "window function", { said: refusal, rows: null }),
    withAttempt("reads", "SHOW MANIFEST", { said: denied, rows: null }),
    withAttempt("writes", "UPDATE WHERE 1 = 1", { said: { ...refusal, kind: "unsure" }, count: null }),
    withAttempt("writes", "UPDATE by key", { said: refusal, count: null }, { table: "stream" }),
  ],
  cannotTell: [
    { tables: [] },
    { tables: sound.tables.slice(1) },
    flushed({ unavailable: "no right" }),
    flushed({ cold: null }),
    flushed({ cold: [victim.name] }),
    flushed({ atFirst: null }),
    flushed({ atFirst: [] }),
    flushed({ visits: [] }),
    flushed({ visits: sound.tables.flatMap(({ visits }) => visits).map((visit) => ({ ...visit, reads: [] })) }),
    withAttempt("reads", "COUNT(*)", { said: nothing(), rows: null }),
    withAttempt("reads", "COUNT(*)", { said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), rows: null }),
    withAttempt("reads", "window function", { said: nothing(), rows: null }),
    withAttempt("reads", "self-join", { said: refusal, rows: null }),
    withAttempt("reads", "SELECT *", { rows: [] }),
    withAttempt("reads", "COUNT(*)", { rows: [["2"]] }),
    withLive("live query", { rows: [] }),
    withLive("live query", { delivered: [] }),
    withLive("", {}, { ownArrived: false }),
    withLive("", {}, { why: "no live connection", received: [] }),
    withLive("live query", {
      opening: { kind: "refused", code: "SUBSCRIPTION_LIMIT_EXCEEDED", message: "", reason: "limit", exchange: 1 },
      rows: null,
    }),
    withAttempt("writes", "UPDATE of every key", { count: 0 }),
    withAttempt("writes", "UPDATE of every key", { said: refusal, count: null }),
    withAttempt("writes", "UPDATE of every key", { victimRows: "unread" }),
    withAttempt("writes", "DELETE as another", { said: refusal }),
    withAttempt(
      "writes",
      "UPDATE by key",
      { said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) },
      { table: "stream" },
    ),
  ],
  breaks: {
    foreignRows: {
      seen: withAttempt("reads", "COUNT(*)", { rows: [["16"]] }),
      fault: actAs("countAsAnotherAccount", byVictim, /^SELECT COUNT\(\*\) AS c FROM \S+\.hot$/),
    },
    foreignEvents: {
      seen: withLive("live query by another's key", { foreign: ["victim-1"] }),
      fault: listenAs("listenAsAnotherAccount", /INSERT INTO \S+\.hot .*'victim-/),
    },
    foreignChange: {
      seen: withAttempt("writes", "UPDATE of every key", { victimRows: [["1", "victim-1", "500001"]] }),
      fault: actAs("updateAsAnotherAccount", byVictim, /^UPDATE \S+\.hot SET n = n \+ 1 WHERE id > 0$/),
    },
    keyTaken: {
      seen: flushed({
        unavailable: "Primary key violation",
        taken: { as: "user", id: "1", message: "Primary key violation", exchange: 1 },
      }),
      fault: shareKeys("shareKeysOfAFlushedTable", /\.flushed$/),
    },
    actedAs: {
      seen: withAttempt("writes", "UPDATE as another", { said: yes() }),
      fault: claimSuccess("acceptActingAsAnotherUser", /^EXECUTE AS USER '\w+' \(UPDATE \S+\.hot/),
    },
  },
  mayBeLost: [
    {
      what: /^SELECT id FROM \S+ LIMIT 50$/,
      because: "rows that are not written again leave the next statement nothing to change, and it is not counted then",
    },
  ],
});
