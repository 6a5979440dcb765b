import { expect, test } from "vitest";
import { judged, no, nothing, yes } from "../../vocabulary/evidence.ts";
import { deniedWrites, openReads, sharedReads, sharedWrites } from "./attempts.ts";
import { levelsFor } from "./levels.ts";
import { received, soundLevels, withAttempt, withListening, withOpenQuery } from "./proof.ts";
import { sharedAccessLevelsHold } from "./index.ts";

type Seen = ReturnType<typeof soundLevels>;
const verdict = (seen: Seen): string[] => judged(sharedAccessLevelsHold, seen);
const unknown = (sentence: string): string[] => [`unknown: ${sentence}`];
const passed = expect.stringMatching(/^pass/) as string;
const one = (name: string, level: string, as: string, way: string, detail: string): string[] => [
  `${name}: ${level}: ${way}, as ${as}: ${JSON.stringify({ level, as, way, detail })}`,
];
const late = (to: string, way: string, detail: string): string[] => [
  `lateRevoke: closed: ${way}: ${JSON.stringify({ to, way, detail })}`,
];
const denied = no("PERMISSION_DENIED", "Access denied", "permission", 403);
const failed = no("SQL_EXECUTION_ERROR", "failed", "rule");
/** The n-th change of level, changed. */
const withChange = (at: number, change: Partial<Seen["changes"]["changes"][number]>): Seen => {
  const sound = soundLevels();
  const changes = sound.changes.changes.map((its, index) => (index === at ? { ...its, ...change } : its));
  return { ...sound, changes: { ...sound.changes, changes } };
};

test("what is tried, and what a pass counts", () => {
  expect(levelsFor("levels").map(({ level, usersRead }) => [level, usersRead])).toEqual([
    ["PUBLIC", true],
    ["PRIVATE", false],
    ["RESTRICTED", false],
    ["default", false],
  ]);
  expect(openReads.map(({ name }) => name)).toEqual(["SELECT *", "COUNT(*)"]);
  expect(sharedReads.map(({ name }) => name)).not.toContain("SHOW MANIFEST");
  expect(sharedReads).toHaveLength(15);
  expect(
    deniedWrites("levels")
      .map(({ name }) => name)
      .slice(0, 2),
  ).toEqual(["INSERT", "INSERT in a transaction"]);
  expect([...sharedWrites, ...deniedWrites("levels")].map(({ counts }) => counts(9))).toEqual(
    Array.from({ length: 11 }, () => 1),
  );
  expect(verdict(soundLevels())).toEqual([
    "pass: 68 reads, writes and live queries allowed and 85 denied as documented, on 4 levels; 3 changes of level took effect at once",
  ]);
});

test("a copy into an own table shows the text of each row", () => {
  const way = "copy into an own table";
  const rows = ["row-1", "row-2", "row-3"].map((cell) => [cell]);
  expect(verdict(withAttempt("PRIVATE", "user", way, { said: yes(), rows }))).toEqual(
    one("tooOpen", "PRIVATE", "user", way, "row-1, row-2, row-3"),
  );
  expect(verdict(withAttempt("PUBLIC", "user", way, { rows: rows.slice(1) }))).toEqual(
    unknown(`PUBLIC: ${way}, as user, returned 2 rows and changed 0`),
  );
});

test("what a live query shows of a closed table", () => {
  const listen = (level: string, role: string, change: object, open = true) =>
    verdict(withListening(level, role, { ...received(open), ...change }));
  const shown = "1 row-1 301, 2 row-2 302, 3 row-3 303";
  expect(listen("PRIVATE", "user", {})).toEqual(
    one("tooOpen", "PRIVATE", "user", "live query", `it began with ${shown}`),
  );
  for (const rows of [[], null])
    expect(listen("PRIVATE", "user", { rows })).toEqual(
      one("tooOpen", "PRIVATE", "user", "live query", "it began with no rows"),
    );
  expect(listen("PRIVATE", "user", { rows: [["x".repeat(144)]] })).toEqual(
    one("tooOpen", "PRIVATE", "user", "live query", `it began with ${"x".repeat(144)}`),
  );
  expect(listen("PRIVATE", "user", { rows: [["x".repeat(147)]] })).toEqual(
    one("tooOpen", "PRIVATE", "user", "live query", `it began with ${"x".repeat(146)}…`),
  );
  expect(listen("PUBLIC", "user", { rows: received(true).rows?.toReversed() })).toEqual([passed]);
  expect(listen("PUBLIC", "user", { rows: received(true).rows?.slice(1) })).toEqual(
    unknown("PUBLIC: live query, as user, began with 2 row-2 302, 3 row-3 303"),
  );
});

test("which refusal of a live query is one for the level", () => {
  const refusal = (level: string, reason: string, kind = "refused") =>
    verdict(
      withListening(level, "user", {
        ...received(false),
        opening: { kind, code: "CODE", message: "no", reason, exchange: 1 } as never,
      }),
    );
  expect(refusal("PUBLIC", "right")).toEqual(one("tooClosed", "PUBLIC", "user", "live query", "no"));
  expect(refusal("PUBLIC", "statement")).toEqual(unknown("PUBLIC: live query, as user: CODE no"));
  expect(refusal("PUBLIC", "right", "unsure")).toEqual(unknown("PUBLIC: live query, as user: CODE no"));
  expect(refusal("PRIVATE", "right")).toEqual([passed]);
  expect(refusal("PRIVATE", "statement")).toEqual([passed]);
  expect(refusal("PRIVATE", "limit")).toEqual(unknown("PRIVATE: live query, as user: CODE no"));
  expect(refusal("PRIVATE", "right", "unsure")).toEqual(unknown("PRIVATE: live query, as user: CODE no"));
  expect(verdict(withListening("PRIVATE", "user", "no connection"))).toEqual(
    unknown("PRIVATE: live query, as user: no connection"),
  );
});

test("what a read shows of a closed table, and why it is inconclusive", () => {
  const read = (level: string, change: object) => verdict(withAttempt(level, "user", "SELECT *", change));
  expect(read("PRIVATE", { foreign: ["row-2", "301"] })).toEqual(
    one("tooOpen", "PRIVATE", "user", "SELECT *", "row-2, 301"),
  );
  const long = "x".repeat(160);
  expect(read("PRIVATE", { foreign: [long] })).toEqual(one("tooOpen", "PRIVATE", "user", "SELECT *", long));
  expect(read("PRIVATE", { foreign: [`${long}x`] })).toEqual(one("tooOpen", "PRIVATE", "user", "SELECT *", `${long}…`));
  expect(read("PRIVATE", { said: yes(), rows: null })).toEqual(
    unknown("PRIVATE: SELECT *, as user, returned 0 rows and changed 0"),
  );
  expect(read("PRIVATE", { said: yes(), rows: [["1"]], count: 3 })).toEqual(
    unknown("PRIVATE: SELECT *, as user, returned 1 rows and changed 3"),
  );
  expect(read("PRIVATE", { said: failed })).toEqual([passed]);
  expect(read("PRIVATE", { said: { ...failed, why: "batchPart", status: 403 } })).toEqual([passed]);
  expect(read("PRIVATE", { said: nothing() })).toEqual(
    unknown("PRIVATE: SELECT *, as user, got  no answer within 15000 ms"),
  );
  expect(read("PUBLIC", { said: failed, rows: null })).toEqual(
    unknown("PUBLIC: SELECT *, as user, got SQL_EXECUTION_ERROR failed"),
  );
  expect(read("PUBLIC", { rows: soundLevels().tables[0]?.parties[0]?.reads[0]?.rows?.toReversed() })).toEqual([passed]);
});

test("a denied write must leave the rows as they were", () => {
  const write = (change: object) => verdict(withAttempt("PRIVATE", "user", "UPDATE by key", change));
  const found = (detail: string) => one("tooOpen", "PRIVATE", "user", "UPDATE by key", detail);
  expect(write({ state: [["1"]] })).toEqual(found("403, and the rows have changed"));
  expect(write({ said: nothing(), state: [["1"]] })).toEqual(found("no answer, and the rows have changed"));
  expect(write({ said: yes() })).toEqual(found("200 done"));
  expect(write({ said: nothing() })).toEqual(
    unknown("PRIVATE: UPDATE by key, as user, got  no answer within 15000 ms"),
  );
  expect(write({ said: failed })).toEqual([passed]);
});

test("a change of level that does not take effect is named by its direction", () => {
  const cut = withChange(3, {});
  const fewer = { ...cut, changes: { ...cut.changes, changes: cut.changes.changes.slice(0, 3) } };
  expect(verdict(fewer)).toEqual(unknown("only 3 changes of level were tried"));
  const read = (at: number, change: object) =>
    verdict(
      withChange(at, {
        reads: soundLevels().changes.changes[at]?.reads.map((its) =>
          its.way === "COUNT(*)" ? { ...its, ...change } : its,
        ) as never,
      }),
    );
  const closed = (level: string) => [
    `tooClosed: opened: COUNT(*): ${JSON.stringify({ level, as: "user", way: "COUNT(*)", detail: "after it was opened: Access denied" })}`,
  ];
  expect(read(0, { said: denied, rows: null })).toEqual(closed("PUBLIC"));
  expect(read(2, { said: denied, rows: null })).toEqual(closed("PUBLIC"));
  expect(read(1, { said: yes(), rows: [["3"]] })).toEqual(late("PRIVATE", "COUNT(*)", "3"));
  expect(read(3, { said: yes(), rows: [["3"]] })).toEqual(late("RESTRICTED", "COUNT(*)", "3"));
  expect(read(1, { said: nothing() })).toEqual(
    unknown("after the level was set to PRIVATE, COUNT(*), as user, got  no answer within 15000 ms"),
  );
  expect(verdict(withChange(1, { said: failed }))).toEqual(unknown("the level could not be set to PRIVATE: failed"));
  // What was read after a level that was not set shows nothing.
  const reads = soundLevels().changes.changes[0]?.reads ?? [];
  expect(verdict(withChange(1, { said: failed, reads }))).toEqual(
    unknown("the level could not be set to PRIVATE: failed"),
  );
});

test("an open live query is cut off by silence or by a close for policy", () => {
  const query = (change: object) => verdict(withOpenQuery(change));
  const ended = (code: number | null) => query({ fenceArrived: false, ended: code });
  for (const code of [1008, 3000, 4001]) expect(ended(code)).toEqual([passed]);
  for (const code of [null, 1000, 1006, 2999])
    expect(ended(code)).toEqual(
      unknown("rows of a PUBLIC table did not reach the user after the other table was closed"),
    );
  expect(query({ leaked: 1 })).toEqual(late("PRIVATE", "live query", "1 of 2 rows written afterwards"));
  expect(query({ dbaReceived: 1 })).toEqual(unknown("the dba's live query delivered only 1 of 2 rows"));
});

test("where policies hide rows, no rows are as good as a refusal, and any row or count of them is not", () => {
  const ofWay = (way: string, change: object): string[] =>
    judged(sharedAccessLevelsHold, withAttempt("default", "service", way, change, "policies"));
  expect(ofWay("COUNT(*)", { rows: [["0"]] })).toEqual([expect.stringMatching(/^pass/)]);
  expect(ofWay("COUNT(*)", { rows: [["3"]] })).toEqual([expect.stringMatching(/^tooOpen: default: COUNT/)]);
  expect(ofWay("COUNT(*)", { rows: [["2"]] })).toEqual([expect.stringMatching(/^unknown: default: COUNT/)]);
  expect(ofWay("SELECT *", { foreign: ["row-1"] })).toEqual([expect.stringMatching(/^tooOpen: default: SELECT/)]);
  for (const way of ["INSERT", "UPDATE of every key", "open it"]) {
    expect(ofWay(way, { said: yes(), count: null })).toEqual([expect.stringContaining(`tooOpen: default: ${way},`)]);
    expect(ofWay(way, { said: yes(), count: 1 })).toEqual([expect.stringContaining(`tooOpen: default: ${way},`)]);
    expect(ofWay(way, { said: yes(), count: 0, state: [["1"]] })).toEqual([
      expect.stringContaining(`tooOpen: default: ${way},`),
    ]);
  }
  expect(ofWay("DELETE by key", { said: yes(), count: 0, state: "unread" })).toEqual([
    expect.stringMatching(/^unknown: default: DELETE by key/),
  ]);
});
