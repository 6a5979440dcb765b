import { actAs, claimSuccess, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import {
  deniedWrites,
  openReads,
  sharedReads,
  sharedWrites,
  type LevelChanges,
  type Party,
  type TableSeen,
} from "./attempts.ts";
import { sharedAccessLevelsHold } from "./index.ts";
import { levelsFor, mayRead, mayWrite, type Access, type Level } from "./levels.ts";
import type { Attempt } from "../row-access/attempt.ts";
import type { Received } from "../row-access/live.ts";
import type { ReadWay } from "../row-access/ways.ts";

const denied = no("PERMISSION_DENIED", "Access denied", "permission", 403);
const rows = ["1", "2", "3"].map((id) => ({ id, v: `row-${id}`, n: `30${id}` }));
const place = {
  t: "kr_a1b2c_1.l",
  s: "kr_a1b2c_1.l_s",
  namespace: "kr_a1b2c_1",
  name: "l",
  quoted: '"kr_a1b2c_1"."l"',
  version: "_seq",
  myValue: "",
  theirKey: "100",
  theirValue: "by-user",
  me: "kr_a1b2c_user_1",
  them: "kr_a1b2c_1.l_u",
};
const reading = (way: ReadWay, open: boolean, access: Access = "levels"): Attempt => ({
  way: way.name,
  said: open || access === "policies" ? yes() : denied,
  rows: open ? (way.shows?.(rows, place) ?? []) : access === "policies" ? nothingOf(way) : null,
  count: null,
  foreign: [],
});

/** What a server with policies returns of rows that it hides. */
function nothingOf({ name }: ReadWay): string[][] {
  if (name === "COUNT(*)") return [["0"]];
  if (name === "MIN and MAX of a number") return [["null", "null"]];
  return name === "SUM" || name === "subquery as a value" ? [["null"]] : [];
}

export const received = (open: boolean): Received => ({
  way: "live query",
  opening: open
    ? { kind: "ready", code: "", message: "", reason: "", exchange: 1 }
    : { kind: "refused", code: "UNAUTHORIZED", message: "Access denied", reason: "right", exchange: 1 },
  rows: open ? rows.map(({ id, v, n }) => [id, v, n]) : null,
  delivered: [],
  foreign: [],
});

/** What a server answers that works as documented. */
export function soundLevels(access: Access = "levels"): {
  access: Access;
  tables: TableSeen[];
  changes: LevelChanges;
} {
  const party = (role: string, level: Level): Party => {
    const [open, writes] = [mayRead(level, role), mayWrite(level, role)];
    const hidden = { ...received(true), rows: [] };
    return {
      role,
      reads: (writes ? openReads : sharedReads).map((way) => reading(way, open, access)),
      listening: open || access === "levels" ? received(open) : hidden,
      writes: (writes ? sharedWrites : deniedWrites(access)).map(({ name }) => ({
        way: name,
        said: writes ? yes() : denied,
        rows: null,
        count: writes ? 1 : null,
        foreign: [],
        state: writes ? "unasked" : "same",
      })),
    };
  };
  const tables = levelsFor(access).map((level) => ({
    level: level.level,
    rows,
    place,
    unavailable: null,
    breadth: "all" as const,
    parties: ["user", "service", "dba"].map((role) => party(role, level)),
  }));
  const changes = ["PUBLIC", "PRIVATE", "PUBLIC", access === "levels" ? "RESTRICTED" : "PRIVATE"].map((to) => ({
    to,
    said: yes(),
    reads: openReads.map((way) => reading(way, to === "PUBLIC", access)),
  }));
  const openQuery = {
    why: null,
    worked: true,
    written: 2,
    dbaReceived: 2,
    leaked: 0,
    fenceArrived: true,
    ended: null,
    exchange: 1,
  };
  return { access, tables, changes: { rows, place, changes, openQuery } };
}

/** Sound evidence with the live query of one account changed. */
export function withListening(level: string, role: string, listening: Party["listening"]) {
  return withParty(level, role, (party) => ({ ...party, listening }));
}

/** Sound evidence with one attempt changed. */
export function withAttempt(
  level: string,
  role: string,
  way: string,
  change: Partial<Party["writes"][number]>,
  access: Access = "levels",
) {
  const changed = <T extends Attempt>(tried: readonly T[]): T[] =>
    tried.map((one) => (one.way === way ? { ...one, ...change } : one));
  return withParty(
    level,
    role,
    (party) => ({ ...party, reads: changed(party.reads), writes: changed(party.writes) }),
    access,
  );
}

function withParty(level: string, role: string, change: (party: Party) => Party, access: Access = "levels") {
  const sound = soundLevels(access);
  const tables = sound.tables.map((table) => ({
    ...table,
    parties: table.parties.map((party) => (table.level === level && party.role === role ? change(party) : party)),
  }));
  return { ...sound, tables };
}

const sound = soundLevels();
const first = (change: Partial<TableSeen>) => ({
  ...sound,
  tables: sound.tables.map((table, at) => (at === 0 ? { ...table, ...change } : table)),
});
const withChange = (at: number, change: Partial<LevelChanges["changes"][number]>) => {
  const changes = sound.changes.changes.map((one, index) => (index === at ? { ...one, ...change } : one));
  return { ...sound, changes: { ...sound.changes, changes } };
};
export const withOpenQuery = (change: Partial<LevelChanges["openQuery"]>) => ({
  ...sound,
  changes: { ...sound.changes, openQuery: { ...sound.changes.openQuery, ...change } },
});
const refusal = no("SQL_EXECUTION_ERROR", "SQL statement failed", "");
const tooFast = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);

export default proveCheck(sharedAccessLevelsHold, {
  holds: [
    sound,
    soundLevels("policies"),
    // A policy may hide the rows from a statement, or refuse it.
    withAttempt("PRIVATE", "user", "UPDATE by key", { said: yes(), count: 0 }, "policies"),
    withAttempt("default", "service", "SELECT *", { said: denied, rows: null }, "policies"),
    withOpenQuery({ fenceArrived: false, ended: 1008 }),
    withAttempt("PRIVATE", "user", "second in a batch", { said: { ...denied, why: "batchPart" } }),
  ],
  cannotTell: [
    { ...sound, tables: [] },
    { ...sound, changes: { ...sound.changes, changes: [] } },
    first({ unavailable: "no such level" }),
    first({ parties: [] }),
    withAttempt("PRIVATE", "user", "SELECT *", { said: nothing() }),
    withAttempt("PRIVATE", "user", "SELECT *", { said: tooFast }),
    withAttempt("PRIVATE", "user", "SELECT *", { said: yes(), rows: [] }),
    withAttempt("PRIVATE", "user", "DELETE by key", { state: "unread" }),
    withAttempt("PUBLIC", "user", "SELECT *", { said: refusal, rows: null }),
    withAttempt("PUBLIC", "service", "INSERT", { count: 0 }),
    withAttempt("PUBLIC", "service", "INSERT", { said: nothing() }),
    withListening("PUBLIC", "user", "no live connection"),
    withListening("PUBLIC", "service", { ...received(true), rows: [] }),
    withOpenQuery({ why: "no live connection" }),
    withOpenQuery({ worked: false }),
    withOpenQuery({ dbaReceived: 1 }),
    withOpenQuery({ fenceArrived: false, ended: 1006 }),
    withChange(1, { said: refusal }),
    withChange(1, { reads: [] }),
    withChange(2, { reads: openReads.map((way) => ({ ...reading(way, true), rows: [] })) }),
  ],
  breaks: {
    tooOpen: {
      seen: withAttempt("PRIVATE", "user", "COUNT(*)", { said: yes(), rows: [["3"]] }),
      fault: actAs("countAsDba", /^SELECT id, v, n FROM \S+\.l_/, /^SELECT COUNT\(\*\) AS c FROM \S+\.l_private$/),
    },
    tooClosed: {
      seen: withAttempt("RESTRICTED", "service", "UPDATE by key", { said: denied, count: null }),
      fault: refuseIt("refuseReadsOfPublicTables", /^SELECT \* FROM \S+\.l_public$/, {
        status: 403,
        code: "PERMISSION_DENIED",
        message: "Access denied",
      }),
    },
    lateRevoke: {
      seen: withChange(1, { reads: openReads.map((way) => reading(way, true)) }),
      fault: claimSuccess(
        "ignoreSettingPrivate",
        /^(ALTER TABLE \S+\.turned SET TBLPROPERTIES \(ACCESS_LEVEL = 'PRIVATE'\)|DROP POLICY \w+ ON \S+\.turned)$/,
      ),
    },
  },
});
