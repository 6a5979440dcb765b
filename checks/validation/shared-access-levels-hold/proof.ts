import { actAs, claimSuccess, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import type { Said } from "../../../src/server/target.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import {
  deniedWrites,
  levels,
  openReads,
  sharedReads,
  sharedWrites,
  type Openness,
  type Party,
  type Turned,
} from "./openness.ts";
import type { Heard } from "../reaching/listening.ts";
import type { Tried } from "../reaching/reach.ts";
import { sharedAccessLevelsHold } from "./index.ts";
import type { ReadWay } from "../reaching/ways.ts";

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
const reading = (way: ReadWay, open: boolean): Tried => ({
  way: way.name,
  said: open ? yes() : denied,
  rows: open ? (way.shows?.(rows, place) ?? []) : null,
  count: null,
  theirs: [],
});

export const hearing = (open: boolean): Heard => ({
  way: "live query",
  opening: open
    ? { kind: "ready", code: "", message: "", reason: "", exchange: 1 }
    : { kind: "refused", code: "UNAUTHORIZED", message: "Access denied", reason: "right", exchange: 1 },
  rows: open ? rows.map(({ id, v, n }) => [id, v, n]) : null,
  told: [],
  theirs: [],
});

/** What a server that keeps to its documentation answers. */
export function soundLevels(): { setUp: Said[]; tables: Openness[]; turned: Turned } {
  const party = (role: string, usersRead: boolean): Party => {
    const user = role === "user";
    return {
      role,
      reads: (user ? sharedReads : openReads).map((way) => reading(way, !user || usersRead)),
      listening: hearing(!user || usersRead),
      writes: (user ? deniedWrites : sharedWrites).map(({ name }) => ({
        way: name,
        said: user ? denied : yes(),
        rows: null,
        count: user ? null : 1,
        theirs: [],
        state: user ? "same" : "unasked",
      })),
    };
  };
  const tables = levels.map(({ level, usersRead }) => ({
    level,
    rows,
    place,
    setUp: [yes(), yes()],
    parties: ["user", "service", "dba"].map((role) => party(role, usersRead)),
  }));
  const turns = ["PUBLIC", "PRIVATE", "PUBLIC", "RESTRICTED"].map((to) => ({
    to,
    said: yes(),
    reads: openReads.map((way) => reading(way, to === "PUBLIC")),
  }));
  const kept = { why: null, alive: true, written: 2, insiders: 2, leaked: 0, fenced: true, ended: null, exchange: 1 };
  return { setUp: [yes()], tables, turned: { rows, place, turns, kept } };
}

/** What somebody heard by a live query made otherwise. */
export function overhearing(level: string, role: string, listening: Party["listening"]) {
  const sound = soundLevels();
  const tables = sound.tables.map((table) => ({
    ...table,
    parties: table.parties.map((party) =>
      table.level === level && party.role === role ? { ...party, listening } : party,
    ),
  }));
  return { ...sound, tables };
}

/** One answer made otherwise. */
export function turning(level: string, role: string, way: string, change: Partial<Party["writes"][number]>) {
  const sound = soundLevels();
  const changed = <T extends Tried>(tried: readonly T[]): T[] =>
    tried.map((one) => (one.way === way ? { ...one, ...change } : one));
  const tables = sound.tables.map((table) => ({
    ...table,
    parties: table.parties.map((party) =>
      table.level === level && party.role === role
        ? { ...party, reads: changed(party.reads), writes: changed(party.writes) }
        : party,
    ),
  }));
  return { ...sound, tables };
}

const sound = soundLevels();
const first = (change: Partial<Openness>) => ({
  ...sound,
  tables: sound.tables.map((table, at) => (at === 0 ? { ...table, ...change } : table)),
});
const turned = (at: number, change: Partial<Turned["turns"][number]>) => ({
  ...sound,
  turned: {
    ...sound.turned,
    turns: sound.turned.turns.map((turn, index) => (index === at ? { ...turn, ...change } : turn)),
  },
});
export const keeping = (change: Partial<Turned["kept"]>) => ({
  ...sound,
  turned: { ...sound.turned, kept: { ...sound.turned.kept, ...change } },
});
const refusal = no("SQL_EXECUTION_ERROR", "SQL statement failed", "");
const tooFast = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);

export default proveCheck(sharedAccessLevelsHold, {
  holds: [
    sound,
    keeping({ fenced: false, ended: 1008 }),
    turning("PRIVATE", "user", "second in a batch", { said: { ...denied, why: "batchPart" } }),
  ],
  cannotTell: [
    { ...sound, setUp: [nothing()] },
    { ...sound, tables: [] },
    { ...sound, turned: { ...sound.turned, turns: [] } },
    first({ setUp: [refusal] }),
    first({ parties: [] }),
    turning("PRIVATE", "user", "SELECT *", { said: nothing() }),
    turning("PRIVATE", "user", "SELECT *", { said: tooFast }),
    turning("PRIVATE", "user", "SELECT *", { said: yes(), rows: [] }),
    turning("PRIVATE", "user", "DELETE by key", { state: "unread" }),
    turning("PUBLIC", "user", "SELECT *", { said: refusal, rows: null }),
    turning("PUBLIC", "service", "INSERT", { count: 0 }),
    turning("PUBLIC", "service", "INSERT", { said: nothing() }),
    overhearing("PUBLIC", "user", "no live connection"),
    overhearing("PUBLIC", "service", { ...hearing(true), rows: [] }),
    keeping({ why: "no live connection" }),
    keeping({ alive: false }),
    keeping({ insiders: 1 }),
    keeping({ fenced: false, ended: 1006 }),
    turned(1, { said: refusal }),
    turned(1, { reads: [] }),
    turned(2, { reads: openReads.map((way) => ({ ...reading(way, true), rows: [] })) }),
  ],
  breaks: {
    tooOpen: {
      seen: turning("PRIVATE", "user", "COUNT(*)", { said: yes(), rows: [["3"]] }),
      fault: actAs("countForAnybody", /^SELECT id, v, n FROM \S+\.l_/, /^SELECT COUNT\(\*\) AS c FROM \S+\.l_private$/),
    },
    tooClosed: {
      seen: turning("RESTRICTED", "service", "UPDATE by key", { said: denied, count: null }),
      fault: refuseIt("shutWhatIsPublic", /^SELECT \* FROM \S+\.l_public$/, {
        status: 403,
        code: "PERMISSION_DENIED",
        message: "Access denied",
      }),
    },
    lateRevoke: {
      seen: turned(1, { reads: openReads.map((way) => reading(way, true)) }),
      fault: claimSuccess("forgetToShut", /^ALTER TABLE \S+\.turned SET TBLPROPERTIES \(ACCESS_LEVEL = 'PRIVATE'\)$/),
    },
  },
});
