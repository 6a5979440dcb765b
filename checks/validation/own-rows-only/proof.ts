import { listenAs } from "../../../src/faults/live.ts";
import { actAs, claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import type { Person, Room, Visit } from "./neighbours.ts";
import { ownRowsOnly, plans } from "./index.ts";
import { liveWays, readWays, writeWays, type Place, type Row } from "../reaching/ways.ts";

const row = (id: string, who: string, n: number): Row => ({ id, v: `${who}-${id}`, n: String(n) });
const person = (role: string, from: number, more: readonly string[] = []): Person => ({
  name: `kr_a1b2c_${role}_1`,
  role,
  rows: ["1", "2", "3", ...more].map((id, at) => row(id, role, from + at * at)),
});
const watcher = person("watcher", 500_000, ["200000001", "200000002", "200000003", "200000004"]);
const deleted = row("200000005", "watcher", 900_000);
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
    theirValue: "watcher-200000003",
    me: "kr_a1b2c_user_1",
    them: watcher.name,
  };
}

/** What a server that keeps everybody apart answers. */
export function soundRooms(): Room[] {
  return plans.map(({ name, type, cold, withRights }) => {
    const people = [
      person("user", 100_000),
      ...(withRights ? [person("service", 200_000), person("dba", 300_000)] : []),
    ];
    return {
      room: name,
      type,
      watcher,
      atFirst: watcher.rows.map(({ id, v, n }) => [id, v, n]),
      deleted: [deleted],
      cold: cold ? [watcher, ...people].map((one) => one.name) : null,
      trouble: null,
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
            theirs: [],
          })),
          writes: mine(writeWays).map((way) => ({
            way: way.name,
            said: way.forbidden === true ? denied : yes(""),
            rows: null,
            count: way.forbidden === true ? null : way.counts(who.rows.length),
            theirs: [],
            watched: "same",
          })),
          listened: {
            why: null,
            own: `${who.role}-here`,
            came: true,
            heard: mine(liveWays).map((way) => ({
              way: way.name,
              opening: { kind: "ready", code: "", message: "", reason: "", exchange: 1 },
              rows: way.shows(who.rows),
              told: way.tells ? [`${who.role}-here`] : [],
              theirs: [],
            })),
          },
        };
      }),
    };
  });
}

/** What a visitor heard by a live query made otherwise, or all of it. */
export function hearing(
  way: string,
  change: Partial<Visit["listened"]["heard"][number]>,
  all: Partial<Visit["listened"]> = {},
  who: { room: string; role: string } = { room: "hot", role: "user" },
): { rooms: Room[] } {
  const rooms = soundRooms().map((room) => ({
    ...room,
    visits: room.visits.map((visit) => {
      if (room.room !== who.room || visit.who.role !== who.role) return visit;
      const heard = visit.listened.heard.map((one) => (one.way === way ? { ...one, ...change } : one));
      return { ...visit, listened: { ...visit.listened, heard, ...all } };
    }),
  }));
  return { rooms };
}

type Change<Of extends "reads" | "writes"> = Partial<Visit[Of][number]>;

/** One answer of a visitor's made otherwise. */
export function having<Of extends "reads" | "writes">(
  of: Of,
  way: string,
  change: Change<Of>,
  who: { room?: string; role?: string } = {},
): { rooms: Room[] } {
  const { room: name = "hot", role = "user" } = who;
  const rooms = soundRooms().map((room) => ({
    ...room,
    visits: room.visits.map((visit) => {
      if (room.room !== name || visit.who.role !== role) return visit;
      const tried = visit[of].map((one) => (one.way === way ? { ...one, ...change } : one));
      return { ...visit, [of]: tried };
    }),
  }));
  return { rooms };
}

const sound = { rooms: soundRooms() };
const firstRoom = (change: Partial<Room>) => ({
  rooms: sound.rooms.map((room) => (room.room === "flushed" ? { ...room, ...change } : room)),
});
const refusal = no("SQL_EXECUTION_ERROR", "SQL statement failed", "");
const bobs = /^INSERT INTO \S+\.hot .*'watcher-/;

export default proveCheck(ownRowsOnly, {
  holds: [
    sound,
    having("reads", "window function", { said: refusal, rows: null }),
    having("reads", "SHOW MANIFEST", { said: denied, rows: null }),
    having("writes", "UPDATE WHERE 1 = 1", { said: { ...refusal, kind: "unsure" }, count: null }),
    having("writes", "UPDATE by key", { said: refusal, count: null }, { room: "stream" }),
  ],
  cannotTell: [
    { rooms: [] },
    { rooms: sound.rooms.slice(1) },
    firstRoom({ trouble: "no right" }),
    firstRoom({ cold: null }),
    firstRoom({ cold: [watcher.name] }),
    firstRoom({ atFirst: null }),
    firstRoom({ atFirst: [] }),
    firstRoom({ visits: [] }),
    firstRoom({ visits: sound.rooms.flatMap(({ visits }) => visits).map((visit) => ({ ...visit, reads: [] })) }),
    having("reads", "COUNT(*)", { said: nothing(), rows: null }),
    having("reads", "COUNT(*)", { said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), rows: null }),
    having("reads", "window function", { said: nothing(), rows: null }),
    having("reads", "self-join", { said: refusal, rows: null }),
    having("reads", "SELECT *", { rows: [] }),
    having("reads", "COUNT(*)", { rows: [["2"]] }),
    hearing("live query", { rows: [] }),
    hearing("live query", { told: [] }),
    hearing("", {}, { came: false }),
    hearing("", {}, { why: "no live connection", heard: [] }),
    hearing("live query", {
      opening: { kind: "refused", code: "SUBSCRIPTION_LIMIT_EXCEEDED", message: "", reason: "limit", exchange: 1 },
      rows: null,
    }),
    having("writes", "UPDATE of every key", { count: 0 }),
    having("writes", "UPDATE of every key", { said: refusal, count: null }),
    having("writes", "UPDATE of every key", { watched: "unread" }),
    having("writes", "DELETE as another", { said: refusal }),
    having("writes", "UPDATE by key", { said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }, { room: "stream" }),
  ],
  breaks: {
    foreignRows: {
      seen: having("reads", "COUNT(*)", { rows: [["16"]] }),
      fault: actAs("countForAnother", bobs, /^SELECT COUNT\(\*\) AS c FROM \S+\.hot$/),
    },
    foreignEvents: {
      seen: hearing("live query by another's key", { theirs: ["watcher-1"] }),
      fault: listenAs("listenForAnother", /INSERT INTO \S+\.hot .*'watcher-/),
    },
    foreignChange: {
      seen: having("writes", "UPDATE of every key", { watched: [["1", "watcher-1", "500001"]] }),
      fault: actAs("updateForAnother", bobs, /^UPDATE \S+\.hot SET n = n \+ 1 WHERE id > 0$/),
    },
    actedAs: {
      seen: having("writes", "UPDATE as another", { said: yes() }),
      fault: claimSuccess("letAnybodyActAsAnybody", /^EXECUTE AS USER '\w+' \(UPDATE \S+\.hot/),
    },
  },
});
