/* oxlint-disable no-shadow -- properties name what they draw as the short forms do */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Verdict } from "../../../src/check.ts";
import { judged, no, nothing, yes } from "../../vocabulary/evidence.ts";
import { readWays, writeWays } from "../row-access/ways.ts";
import { soundTables, withAttempt, withLive } from "./proof.ts";
import { ownRowsOnly, plans } from "./index.ts";

const visits = soundTables().flatMap(({ table, victim, visits: all }) =>
  all.map((visit) => ({ table, victim, visit })),
);
/** Chosen by index, so that fast-check prints the index of a failure and not all of the evidence. */
const chosen = <T>(from: readonly T[]): fc.Arbitrary<{ readonly at: number; readonly one: () => T }> =>
  fc.nat(from.length - 1).map((at) => ({ at, one: () => from[at] as T }));
const anyRead = chosen(visits.flatMap(({ visit, ...rest }) => visit.reads.map((tried) => ({ ...rest, visit, tried }))));
const anyWrite = chosen(
  visits.flatMap(({ visit, ...rest }) => visit.writes.map((tried) => ({ ...rest, visit, tried }))),
);
const anyVisit = chosen(visits);
const found = (verdict: Verdict): string[] =>
  verdict.kind === "fail" ? verdict.found.map((one) => `${one.name} ${one.case ?? ""}`) : [verdict.kind];
const caseOf = (way: string, role: string): string => (role === "user" ? way : `${way}, as ${role}`);

const verdict = (seen: { tables: ReturnType<typeof soundTables> }): string[] => judged(ownRowsOnly, seen);
const refused = no("SQL_EXECUTION_ERROR", "not supported", "rule");
/** A finding in one table, as a plain user. */
const one = (name: string, way: string, detail: string, table = "hot"): string[] => [
  `${name}: ${way}: ${JSON.stringify({ way, as: "user", tables: [table], detail })}`,
];
const unknown = (sentence: string): string[] => [`unknown: ${sentence}`];
const own = { rows: [["1"], ["2"], ["3"]] };

test("what a pass counts", () => {
  expect(verdict({ tables: soundTables() })).toEqual([
    "pass: 215 attempts on 3 tables reached only own rows, 59 for rows of others found none, 24 were denied",
  ]);
  // A way that the server lacks is neither; nor is one without rows of others to look for.
  const lacking = withAttempt("reads", "window function", { rows: [] });
  expect(verdict(lacking)).toEqual([
    "pass: 214 attempts on 3 tables reached only own rows, 59 for rows of others found none, 24 were denied",
  ]);
  expect(verdict(withAttempt("writes", "UPDATE without WHERE", { count: 0 }))).toEqual([
    "pass: 214 attempts on 3 tables reached only own rows, 59 for rows of others found none, 24 were denied",
  ]);
});

test("what a refusal, an empty answer and another one show", () => {
  expect(verdict(withAttempt("reads", "window function", { rows: own.rows }))).toEqual(
    unknown("hot: window function, as user, returned 1, 2, 3, expected its own user-1 3, user-2 3, user-3 3"),
  );
  expect(verdict(withAttempt("reads", "SELECT *", { rows: [] }))).toEqual(
    unknown(
      "hot: SELECT *, as user, returned nothing, expected its own 1 user-1 100000, 2 user-2 100001, 3 user-3 100004",
    ),
  );
  expect(verdict(withAttempt("reads", "UNION ALL", { rows: [] }))).toEqual(
    unknown("hot: UNION ALL, as user, returned nothing, expected its own user-1, user-2, user-3, user-1"),
  );
  expect(verdict(withAttempt("reads", "SELECT *", { said: refused, rows: null }))).toEqual(
    unknown("hot: SELECT *, as user, got 400 SQL_EXECUTION_ERROR not supported"),
  );
  expect(verdict(withAttempt("writes", "UPDATE without WHERE", { count: 2 }))).toEqual(
    unknown("hot: UPDATE without WHERE, as user, changed 2 rows, expected 3 of its own"),
  );
  expect(verdict(withAttempt("writes", "UPDATE of every key", { count: null }))).toEqual(
    unknown("hot: UPDATE of every key, as user, changed an unknown number of rows, expected 3 of its own"),
  );
  expect(verdict(withAttempt("writes", "DELETE by key", { said: nothing(), count: null }))).toEqual(
    unknown("hot: DELETE by key, as user, got no answer  no answer within 15000 ms"),
  );
});

test("only on a STREAM table may a server lack what needs a row to be changed", () => {
  const lacks = (table: string) =>
    verdict(withAttempt("writes", "UPDATE by key", { said: refused, count: null }, { table }));
  expect(lacks("stream")).toEqual([expect.stringMatching(/^pass/)]);
  expect(lacks("hot")).toEqual(unknown("hot: UPDATE by key, as user, got 400 SQL_EXECUTION_ERROR not supported"));
  expect(
    verdict(withAttempt("writes", "INSERT … SELECT", { said: refused, count: null }, { table: "stream" })),
  ).toEqual(unknown("stream: INSERT … SELECT, as user, got 400 SQL_EXECUTION_ERROR not supported"));
});

test("a write that quotes a row of another is one that reads it", () => {
  expect(verdict(withAttempt("writes", "UPDATE by key", { foreign: ["victim-1", "victim-2"] }))).toEqual(
    one("foreignRows", "UPDATE by key", "victim-1, victim-2"),
  );
  const taken = "key 200000004 already exists";
  const insert = (said: object) => verdict(withAttempt("writes", "INSERT of another's key", said));
  expect(insert({ said: no("CONSTRAINT", taken, "rule"), count: null })).toEqual(
    one("foreignRows", "INSERT of another's key", taken),
  );
  expect(insert({ said: no("CONSTRAINT", "slower", "rule"), count: null })).toEqual(
    unknown("hot: INSERT of another's key, as user, got 400 CONSTRAINT slower"),
  );
  // Not a word of an answer that accepted it.
  expect(insert({ said: yes("no duplicate") })).toEqual([expect.stringMatching(/^pass/)]);
});

test("a refusal reveals a row if a value in no row is not refused", () => {
  const divided = (change: object) => verdict(withAttempt("reads", "an error that another's row would cause", change));
  expect(divided({ said: no("SQL_EXECUTION_ERROR", "division by zero", "rule"), rows: null })).toEqual(
    one(
      "foreignRows",
      "an error that another's row would cause",
      "it is refused, and the same statement for a value in no row is not: 400 SQL_EXECUTION_ERROR division by zero",
    ),
  );
});

test("rows of others are told by what a way shows of them", () => {
  const read = (way: string, ...cells: string[]) =>
    verdict(withAttempt("reads", way, { rows: cells.map((cell) => [cell]) }));
  // The victim's alone, with the account's own, those of all others, and of all.
  for (const count of ["7", "10", "13", "16"])
    expect(read("COUNT(*)", count)).toEqual(one("foreignRows", "COUNT(*)", count));
  for (const count of ["6", "8", "0"])
    expect(read("COUNT(*)", count)).toEqual(unknown(`hot: COUNT(*), as user, returned ${count}, expected its own 3`));
  // In the order that was asked for; in another order they are still no own ones.
  expect(read("LIMIT OFFSET", "victim-200000003", "victim-200000002")).toEqual(
    one("foreignRows", "LIMIT OFFSET", "victim-200000003, victim-200000002"),
  );
  expect(read("LIMIT OFFSET", "victim-200000002", "victim-200000003")).toEqual(
    unknown("hot: LIMIT OFFSET, as user, returned victim-200000002, victim-200000003, expected its own user-2, user-1"),
  );
  expect(read("LIMIT OFFSET", "user-1", "user-2")).toEqual(
    unknown("hot: LIMIT OFFSET, as user, returned user-1, user-2, expected its own user-2, user-1"),
  );
  expect(read("SELECT *", "x")).toEqual([expect.stringMatching(/^unknown/)]);
  // In any order where none was asked for.
  expect(read("DISTINCT", "user-3", "user-1", "user-2")).toEqual([expect.stringMatching(/^pass/)]);
  // That a way shows nothing of other rows, either, makes an empty answer no sign of them.
  expect(read("by value, as parameter")).toEqual(
    unknown("hot: by value, as parameter, as user, returned nothing, expected its own user-1"),
  );
});

test("a sum tells which of the others' numbers are in it", () => {
  const sum = (cell: string) => verdict(withAttempt("reads", "SUM", { rows: [[cell]] }));
  const other = (cell: string) => unknown(`hot: SUM, as user, returned ${cell}, expected its own 300005`);
  expect(sum("300005")).toEqual([expect.stringMatching(/^pass/)]);
  // With the victim's first number, 500,000, and with its second, 500,001, and with both.
  expect(sum("800005")).toEqual(one("foreignRows", "SUM", "800005"));
  expect(sum("800006")).toEqual(one("foreignRows", "SUM", "800006"));
  expect(sum("1300006")).toEqual(one("foreignRows", "SUM", "1300006"));
  for (const cell of ["300006", "null", "1e3", "-199995", "-300005", "0"]) expect(sum(cell)).toEqual(other(cell));
  expect(verdict(withAttempt("reads", "SUM", { rows: [] }))).toEqual(
    unknown("hot: SUM, as user, returned nothing, expected its own 300005"),
  );
  // Another way's number is no sum.
  expect(verdict(withAttempt("reads", "COUNT(*)", { rows: [["800005"]] }))).toEqual(
    unknown("hot: COUNT(*), as user, returned 800005, expected its own 3"),
  );
});

test("what a live query shows", () => {
  const who = { table: "hot", role: "user" };
  const by = "live query by another's key";
  expect(verdict(withLive(by, { foreign: ["victim-1", "7"] }))).toEqual(one("foreignEvents", by, "victim-1, 7"));
  const opening = { kind: "refused", code: "LIMIT", message: "too many", reason: "limit", exchange: 1 } as const;
  expect(verdict(withLive(by, { opening, rows: [] }))).toEqual(
    unknown(`hot: ${by}, as user, did not begin: LIMIT too many`),
  );
  const reversed = [
    ["3", "user-3", "100004"],
    ["2", "user-2", "100001"],
    ["1", "user-1", "100000"],
  ];
  expect(verdict(withLive("live query", { rows: reversed }))).toEqual([expect.stringMatching(/^pass/)]);
  expect(verdict(withLive("", {}, { ownArrived: false }, who))).toEqual(
    unknown(
      "hot: live query, as user, did not deliver what was written to the USER table meanwhile; and 3 more like it",
    ),
  );
  expect(verdict(withLive("live query with a condition", { delivered: ["another"] }))).toEqual(
    unknown("hot: live query with a condition, as user, did not deliver what was written to the USER table meanwhile"),
  );
});

test("what is missing is named", () => {
  const [hot, flushed, stream] = soundTables();
  if (hot === undefined || flushed === undefined || stream === undefined) throw new Error("no tables");
  const visitsBut = (role: string) => ({ ...hot, visits: hot.visits.filter(({ who }) => who.role !== role) });
  for (const role of ["user", "service", "dba"])
    expect(verdict({ tables: [visitsBut(role), flushed, stream] })).toEqual(
      unknown(`hot: no attempts by an account with the role ${role}`),
    );
  expect(verdict({ tables: [hot, flushed, { ...stream, visits: [] }] })).toEqual(
    unknown("stream: no attempts by an account with the role user"),
  );
  expect(verdict({ tables: [hot, { ...flushed, cold: ["kr_a1b2c_victim_1"] }, stream] })).toEqual(
    unknown("flushed: the rows of 3 accounts were not seen in cold storage"),
  );
  expect(verdict({ tables: [hot, { ...flushed, cold: flushed.cold?.slice(1) ?? [] }, stream] })).toEqual(
    unknown("flushed: the rows of 1 accounts were not seen in cold storage"),
  );
  // Its own rows come in any order.
  expect(verdict({ tables: [{ ...hot, atFirst: hot.atFirst?.toReversed() ?? [] }, flushed, stream] })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
  const without = (list: "reads" | "writes", name: string) => ({
    ...hot,
    visits: hot.visits.map((visit) => ({ ...visit, [list]: visit[list].filter(({ way }) => way !== name) })),
  });
  expect(verdict({ tables: [without("writes", "UPDATE by key"), flushed, stream] })).toEqual(
    unknown("hot: UPDATE by key was not tried"),
  );
  expect(verdict({ tables: [without("writes", "UPDATE without WHERE"), flushed, stream] })).toEqual(
    unknown("hot: UPDATE without WHERE was not tried; and 2 more like it"),
  );
  expect(verdict({ tables: [without("reads", "SELECT *"), flushed, stream] })).toEqual(
    unknown("hot: SELECT * was not tried; and 2 more like it"),
  );
});

test("acting as another is a finding, and each finding names who, where and all tables", () => {
  expect(verdict(withAttempt("writes", "DELETE as another", { said: yes() }))).toEqual(
    one("actedAs", "DELETE as another", "200 done"),
  );
  const foreign = ["victim-1"];
  const everywhere = soundTables().map((table) => ({
    ...table,
    visits: table.visits.map((visit) => ({
      ...visit,
      reads: visit.reads.map((read) => (read.way === "SELECT *" ? { ...read, foreign } : read)),
    })),
  }));
  const data = (as: string, tables: readonly string[]) =>
    JSON.stringify({ way: "SELECT *", as, tables, detail: "victim-1" });
  expect(verdict({ tables: everywhere })).toEqual([
    `foreignRows: SELECT *: ${data("user", ["hot", "flushed", "stream"])}`,
    `foreignRows: SELECT *, as service: ${data("service", ["hot", "flushed"])}`,
    `foreignRows: SELECT *, as dba: ${data("dba", ["hot", "flushed"])}`,
  ]);
});

test("of many rows four are shown, and of long ones the beginning", () => {
  const changed = (rows: readonly (readonly string[])[]) =>
    verdict(withAttempt("writes", "UPDATE by key", { victimRows: rows }));
  expect(changed(["1", "2", "3", "4", "5"].map((id) => [id, "x"]))).toEqual(
    one("foreignChange", "UPDATE by key", "they are now 1 x, 2 x, 3 x, 4 x"),
  );
  expect(changed([["x".repeat(161)]])).toEqual(
    one("foreignChange", "UPDATE by key", `they are now ${"x".repeat(160)}…`),
  );
  expect(changed([["x".repeat(160)]])).toEqual(
    one("foreignChange", "UPDATE by key", `they are now ${"x".repeat(160)}`),
  );
  expect(changed([])).toEqual(one("foreignChange", "UPDATE by key", "they are now nothing"));
});

test("the tables differ in what is tried on them", () => {
  expect(plans.map(({ name, type, cold, withPrivileged }) => [name, type, cold, withPrivileged])).toEqual([
    ["hot", "USER", false, true],
    ["flushed", "USER", true, true],
    ["stream", "STREAM", false, false],
  ]);
});

const optional = [...readWays, ...writeWays].filter((way) => way.optional === true).map(({ name }) => name);

test("passes if any of the optional ways are refused", () => {
  fc.assert(
    fc.property(fc.subarray(optional), (lacking) => {
      const refused = no("SQL_EXECUTION_ERROR", "not supported", "rule");
      const without = <T extends { way: string }>(tried: readonly T[]): T[] =>
        tried.map((one) => (lacking.includes(one.way) ? { ...one, said: refused, rows: null, count: null } : one));
      // If the statement is refused for a value in no row, too, the refusal reveals nothing.
      if (lacking.includes("an error that another's row would cause")) lacking.push("an error that no row causes");
      const tables = soundTables().map((seen) => ({
        ...seen,
        visits: seen.visits.map((visit) => ({
          ...visit,
          reads: without(visit.reads),
          writes: without(visit.writes),
        })),
      }));
      expect(ownRowsOnly.judge({ tables }, {}).kind).toBe("pass");
    }),
  );
});

test("names the way that returns data of another account", () => {
  fc.assert(
    fc.property(anyRead, fc.nat(), ({ one }, at) => {
      const { table, victim, visit, tried } = one();
      const { v, n, id } = victim.rows[at % victim.rows.length] ?? victim.rows[0] ?? { v: "", n: "", id: "" };
      const foreign = [[v, n, id][at % 3] ?? v];
      const seen = withAttempt("reads", tried.way, { foreign }, { table, role: visit.who.role });
      expect(found(ownRowsOnly.judge(seen, {}))).toEqual([`foreignRows ${caseOf(tried.way, visit.who.role)}`]);
    }),
  );
});

test("names the way whose answer is what it would be with another account's rows", () => {
  fc.assert(
    fc.property(anyRead, fc.boolean(), ({ one }, withOwn) => {
      const { table, victim, visit, tried } = one();
      const way = readWays.find(({ name }) => name === tried.way);
      const reached = withOwn ? [...visit.who.rows, ...victim.rows] : victim.rows;
      const place = { ...visit.place };
      const rows = way?.shows?.(reached, place) ?? [];
      // Without rows it only shows that the account's own are missing.
      fc.pre(rows.length > 0 && JSON.stringify(rows) !== JSON.stringify(tried.rows));
      const seen = withAttempt("reads", tried.way, { rows }, { table, role: visit.who.role });
      expect(found(ownRowsOnly.judge(seen, {}))).toEqual([`foreignRows ${caseOf(tried.way, visit.who.role)}`]);
    }),
  );
});

test("names the live query that delivers data of another account, and does not pass without the account's own rows", () => {
  const anyHeard = chosen(
    visits.flatMap(({ visit, table }) => visit.listened.received.map((one) => ({ table, visit, one }))),
  );
  fc.assert(
    fc.property(anyHeard, fc.constantFrom("foreign", "rows", "delivered", "ownArrived"), ({ one: choose }, what) => {
      const { table, visit, one } = choose();
      const { role, rows } = visit.who;
      const who = { table, role };
      if (what === "foreign") {
        const seen = withLive(one.way, { foreign: ["victim-1"] }, {}, who);
        expect(found(ownRowsOnly.judge(seen, {}))).toEqual([`foreignEvents ${caseOf(one.way, role)}`]);
      }
      const delivers = one.delivered.length > 0;
      const other = what === "rows" ? { rows: rows.slice(1).map(({ id, v, n }) => [id, v, n]) } : { delivered: [] };
      if (what === "rows" || (what === "delivered" && delivers))
        expect(ownRowsOnly.judge(withLive(one.way, other, {}, who), {}).kind).toBe("unknown");
      if (what === "ownArrived")
        expect(ownRowsOnly.judge(withLive("", {}, { ownArrived: false }, who), {}).kind).toBe("unknown");
    }),
  );
});

test("finds any of the others' numbers in a sum", () => {
  const others = soundTables()[0]?.victim.rows ?? [];
  fc.assert(
    fc.property(fc.subarray([...others], { minLength: 1 }), (some) => {
      const own = visits[0]?.visit.who.rows ?? [];
      const sum = [...own, ...some].reduce((total, { n }) => total + BigInt(n), 0n);
      const seen = withAttempt("reads", "SUM", { rows: [[String(sum)]] });
      expect(found(ownRowsOnly.judge(seen, {}))).toEqual(["foreignRows SUM"]);
    }),
  );
});

test("names the way after which the victim's rows have changed", () => {
  fc.assert(
    fc.property(anyWrite, fc.nat(), ({ one }, at) => {
      const { table, victim, visit, tried } = one();
      const victimRows = victim.rows.filter((_, index) => index !== at % victim.rows.length).map(({ v }) => [v]);
      const seen = withAttempt("writes", tried.way, { victimRows }, { table, role: visit.who.role });
      expect(found(ownRowsOnly.judge(seen, {}))).toEqual([`foreignChange ${caseOf(tried.way, visit.who.role)}`]);
    }),
  );
});

test("does not pass if any attempt is missing", () => {
  fc.assert(
    fc.property(anyVisit, fc.nat(), fc.boolean(), ({ one }, at, ofReads) => {
      const { table, visit } = one();
      const tables = soundTables().map((other) => ({
        ...other,
        visits: other.visits.map((its) => {
          if (other.table !== table || its.who.role !== visit.who.role) return its;
          const list = ofReads ? "reads" : "writes";
          return { ...its, [list]: its[list].filter((_, index) => index !== at % its[list].length) };
        }),
      }));
      expect(ownRowsOnly.judge({ tables }, {}).kind).toBe("unknown");
    }),
  );
});

test("does not mistake the account's own rows returned twice for rows of another", () => {
  for (const way of ["COUNT(*)", "COUNT(*) with a predicate", "SUM", "SELECT *"]) {
    const own = visits[0]?.visit.who.rows ?? [];
    const rows = readWays
      .find(({ name }) => name === way)
      ?.shows?.([...own, ...own], visits[0]?.visit.place ?? ({} as never));
    expect(ownRowsOnly.judge(withAttempt("reads", way, { rows: rows ?? [] }), {}).kind).toBe("unknown");
  }
});

test("a SELECT that shows foreign rows once is a leak of rows and no change of them; one that lacks rows is a doubt", () => {
  const misread = (rows: string[][]): Verdict =>
    ownRowsOnly.judge(withAttempt("writes", "UPDATE by key", { misread: rows }), ownRowsOnly.limits);
  const leaked = misread([["1", "user-1", "100000"]]);
  expect(leaked).toMatchObject({ kind: "fail", found: [{ name: "foreignRows" }] });
  expect(leaked.kind === "fail" && leaked.found).toHaveLength(1);
  expect(misread([["1", "victim-1", "500000"]]).kind).toBe("unknown");
});
