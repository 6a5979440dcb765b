import { expect, test } from "vitest";
import type { Verdict } from "../../../src/check.ts";
import { judged, nothing } from "../../vocabulary/evidence.ts";
import { readWays, type ReadWay } from "../row-access/ways.ts";
import { ownRowsOnly, plans } from "./index.ts";
import { soundTables, withAttempt } from "./proof.ts";
import { visitorsOf, waysFor, type Breadth } from "./visit.ts";

const visits = soundTables().flatMap(({ table, victim, visits: all }) =>
  all.map((visit) => ({ table, victim, visit })),
);
const found = (verdict: Verdict): string[] =>
  verdict.kind === "fail" ? verdict.found.map((one) => `${one.name} ${one.case ?? ""}`) : [verdict.kind];
const verdict = (seen: { tables: ReturnType<typeof soundTables> }): string[] => judged(ownRowsOnly, seen);
const unknown = (sentence: string): string[] => [`unknown: ${sentence}`];

test("without rows, and of what no rows are known, nothing is a leak", () => {
  expect(verdict(withAttempt("reads", "SUM", { said: nothing(), rows: null }))).toEqual(
    unknown("hot: SUM, as user, got no answer  no answer within 15000 ms"),
  );
  expect(verdict(withAttempt("reads", "SUM", { rows: null }))).toEqual(
    unknown("hot: SUM, as user, returned nothing, expected its own 300005"),
  );
  const passes = [expect.stringMatching(/^pass/)];
  expect(verdict(withAttempt("reads", "DESCRIBE", { rows: [["id"]] }))).toEqual(passes);
  expect(verdict(withAttempt("writes", "INSERT … SELECT", { rows: [["x"]] }))).toEqual(passes);
});

test("rows of others in an order that was not asked for are not what the statement returns", () => {
  const way = readWays.find(({ name }) => name === "LIMIT OFFSET");
  const visit = visits[0]?.visit;
  const all = [...(visit?.who.rows ?? []), ...(visits[0]?.victim.rows ?? [])];
  const rows = way?.shows?.(all, { ...visit?.place } as never) ?? [];
  expect(verdict(withAttempt("reads", "LIMIT OFFSET", { rows }))[0]).toContain("foreignRows: LIMIT OFFSET");
  expect(verdict(withAttempt("reads", "LIMIT OFFSET", { rows: rows.toReversed() }))[0]).toContain(
    "unknown: hot: LIMIT OFFSET",
  );
});

test("a sum with the number of each of the others, and one that is no number", () => {
  const own = (visits[0]?.visit.who.rows ?? []).reduce((total, { n }) => total + BigInt(n), 0n);
  const others = [
    ...(visits[0]?.victim.rows ?? []),
    ...(soundTables()[0]?.visits ?? []).slice(1).flatMap(({ who }) => who.rows),
  ];
  for (const { n } of others) {
    const seen = withAttempt("reads", "SUM", { rows: [[String(own + BigInt(n))]] });
    expect(found(ownRowsOnly.judge(seen, {}))).toEqual(["foreignRows SUM"]);
  }
  // Where nobody else has numbers that add up to one of the victim's.
  const table = plans.find(({ withPrivileged }) => !withPrivileged)?.name ?? "";
  const first = BigInt(visits[0]?.victim.rows[0]?.n ?? 0);
  const only = withAttempt("reads", "SUM", { rows: [[String(own + first)]] }, { table });
  expect(found(ownRowsOnly.judge(only, {}))).toEqual(["foreignRows SUM"]);
  for (const cell of ["x", "1.5", ""])
    expect(found(ownRowsOnly.judge(withAttempt("reads", "SUM", { rows: [[cell]] }), {}))).toEqual(["unknown"]);
});

test("a SELECT that shows a foreign row among the victim's, or a row without a text", () => {
  const misread = (rows: string[][]): string[] =>
    found(ownRowsOnly.judge(withAttempt("writes", "UPDATE by key", { misread: rows }), ownRowsOnly.limits));
  expect(
    misread([
      ["1", "victim-1"],
      ["1", "user-1"],
    ]),
  ).toEqual(["foreignRows UPDATE by key"]);
  expect(misread([["1"], ["2"]])).toEqual(["unknown"]);
});

test("who tries which ways", () => {
  const way = { sql: "SELECT 1", shows: null };
  const ways: ReadWay[] = [
    { ...way, name: "0", broad: true, few: true },
    { ...way, name: "00", broad: true },
    { ...way, name: "1", light: true },
    { ...way, name: "2" },
    { ...way, name: "3", few: true },
  ];
  const names = (role: string, breadth: Breadth): string[] => waysFor({ role }, ways, breadth).map(({ name }) => name);
  expect(names("user", "all")).toEqual(["0", "00", "1", "2", "3"]);
  expect(names("user", "light")).toEqual(["0", "00", "1"]);
  for (const role of ["service", "dba"])
    for (const breadth of ["all", "light"] as const) expect(names(role, breadth)).toEqual(["0", "00"]);
  expect([names("user", "few"), names("service", "few")]).toEqual([["0", "3"], ["0"]]);
  const privileged = plans.filter(({ withPrivileged }) => withPrivileged);
  expect(privileged.length).toBeGreaterThan(0);
  for (const plan of plans) {
    expect(visitorsOf(plan, "light")).toEqual(["user"]);
    expect(visitorsOf(plan, "few")).toEqual(plan.withPrivileged ? ["user", "service"] : ["user"]);
    expect(visitorsOf(plan, "all")).toEqual(plan.withPrivileged ? ["user", "service", "dba"] : ["user"]);
  }
});
