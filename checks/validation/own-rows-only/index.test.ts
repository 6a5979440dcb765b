import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../../src/check.ts";
import { actAs } from "../../../src/faults/sql.ts";
import { run } from "../../../src/run.ts";
import { openTestSession, startSandbox } from "../../../test/sandbox.ts";
import { no } from "../../vocabulary/evidence.ts";
import { soundTables, withAttempt, withLive } from "./proof.ts";
import { ownRowsOnly, plans } from "./index.ts";
import { readWays, writeWays } from "../row-access/ways.ts";

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

describe("the judge", () => {
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
});

describe("on a server that confuses two users", () => {
  test("every read way and every write way notices it", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-ways-"));
    const server = await startSandbox();
    const { session, wire } = await openTestSession(server, folder);
    try {
      const category = { id: "validation", promise: "", checks: [ownRowsOnly] };
      const step = { category, check: ownRowsOnly, disposition: { kind: "run" }, limits: {}, required: false } as const;
      const options = {
        effort: "light",
        seed: 1,
        parallel: 1,
        timeoutMs: 60_000,
        budgetMs: 600_000,
        keep: false,
        signal: new AbortController().signal,
      } as const;
      const noticed = async (pattern: RegExp): Promise<string[]> => {
        const fault = actAs("mixUp", /^INSERT INTO \S+\.hot .*'victim-/, pattern);
        const [outcome] = await run([step], session, { ...options, wire: fault.wrap(wire, () => {}) });
        return outcome?.verdict.kind === "fail" ? outcome.verdict.found.map((one) => one.case ?? "") : [];
      };
      expect(plans[0]?.name).toBe("hot");
      const reads = await noticed(/^(?!INSERT|UPDATE|DELETE|EXECUTE).*(\.hot|FROM hot|"hot")(?!\w)/);
      const searching = readWays.filter(({ name, shows }) => shows !== null && name !== "EXECUTE AS oneself");
      expect(searching.map(({ name }) => name).filter((name) => !reads.includes(name))).toEqual([
        // It finds nothing, as it would among the victim's rows, so it proves nothing. The sandbox has no catalog names.
        "by value, as parameter",
        "catalog-qualified name",
      ]);
      const writes = new Set([
        ...(await noticed(
          /^(UPDATE \S+\.hot |BEGIN; UPDATE \S+\.hot |INSERT INTO \S+\.hot .* SELECT|DELETE FROM \S+\.hot WHERE id > )/,
        )),
        ...(await noticed(/^(INSERT INTO \S+\.hot .* VALUES \(2\d+, 'x'|DELETE FROM \S+\.hot WHERE (id|v) = )/)),
      ]);
      const changing = writeWays.filter(({ forbidden, optional }) => forbidden !== true && optional !== true);
      expect(changing.map(({ name }) => name).filter((name) => !writes.has(name))).toEqual([
        "UPDATE by value, as parameter",
      ]);
    } finally {
      await wire.close();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 120_000);
});
