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
import { having, hearing, soundRooms } from "./proof.ts";
import { ownRowsOnly, plans } from "./index.ts";
import { readWays, writeWays } from "../reaching/ways.ts";

const visits = soundRooms().flatMap(({ room, watcher, visits: all }) => all.map((visit) => ({ room, watcher, visit })));
/** Chosen by number: what fast-check prints of a failure is then that number, and not all of the evidence. */
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

  test("passes whichever of the ways that a server need not have are refused", () => {
    fc.assert(
      fc.property(fc.subarray(optional), (lacking) => {
        const refused = no("SQL_EXECUTION_ERROR", "not supported", "rule");
        const without = <T extends { way: string }>(tried: readonly T[]): T[] =>
          tried.map((one) => (lacking.includes(one.way) ? { ...one, said: refused, rows: null, count: null } : one));
        // Where nobody's value is refused as another's is, the refusal tells nothing.
        if (lacking.includes("an error that another's row would make"))
          lacking.push("an error that nobody's row makes");
        const rooms = soundRooms().map((room) => ({
          ...room,
          visits: room.visits.map((visit) => ({
            ...visit,
            reads: without(visit.reads),
            writes: without(visit.writes),
          })),
        }));
        expect(ownRowsOnly.judge({ rooms }, {}).kind).toBe("pass");
      }),
    );
  });

  test("names the way by which anything of another's is shown", () => {
    fc.assert(
      fc.property(anyRead, fc.nat(), ({ one }, at) => {
        const { room, watcher, visit, tried } = one();
        const { v, n, id } = watcher.rows[at % watcher.rows.length] ?? watcher.rows[0] ?? { v: "", n: "", id: "" };
        const theirs = [[v, n, id][at % 3] ?? v];
        const seen = having("reads", tried.way, { theirs }, { room, role: visit.who.role });
        expect(found(ownRowsOnly.judge(seen, {}))).toEqual([`foreignRows ${caseOf(tried.way, visit.who.role)}`]);
      }),
    );
  });

  test("names the way by which the answer is what it would be with another's rows", () => {
    fc.assert(
      fc.property(anyRead, fc.boolean(), ({ one }, withOwn) => {
        const { room, watcher, visit, tried } = one();
        const way = readWays.find(({ name }) => name === tried.way);
        const reached = withOwn ? [...visit.who.rows, ...watcher.rows] : watcher.rows;
        const place = { ...visit.place };
        const rows = way?.shows?.(reached, place) ?? [];
        // Without any rows it is only that the own ones are not there.
        fc.pre(rows.length > 0 && JSON.stringify(rows) !== JSON.stringify(tried.rows));
        const seen = having("reads", tried.way, { rows }, { room, role: visit.who.role });
        expect(found(ownRowsOnly.judge(seen, {}))).toEqual([`foreignRows ${caseOf(tried.way, visit.who.role)}`]);
      }),
    );
  });

  test("names the live query that brings anything of another's, and does not pass without what is one's own", () => {
    const anyHeard = chosen(
      visits.flatMap(({ visit, room }) => visit.listened.heard.map((one) => ({ room, visit, one }))),
    );
    fc.assert(
      fc.property(anyHeard, fc.constantFrom("theirs", "rows", "told", "came"), ({ one: choose }, what) => {
        const { room, visit, one } = choose();
        const { role, rows } = visit.who;
        const who = { room, role };
        if (what === "theirs") {
          const seen = hearing(one.way, { theirs: ["watcher-1"] }, {}, who);
          expect(found(ownRowsOnly.judge(seen, {}))).toEqual([`foreignEvents ${caseOf(one.way, role)}`]);
        }
        const tells = one.told.length > 0;
        const other = what === "rows" ? { rows: rows.slice(1).map(({ id, v, n }) => [id, v, n]) } : { told: [] };
        if (what === "rows" || (what === "told" && tells))
          expect(ownRowsOnly.judge(hearing(one.way, other, {}, who), {}).kind).toBe("unknown");
        if (what === "came") expect(ownRowsOnly.judge(hearing("", {}, { came: false }, who), {}).kind).toBe("unknown");
      }),
    );
  });

  test("finds in a sum whichever of the others' numbers went into it", () => {
    const others = soundRooms()[0]?.watcher.rows ?? [];
    fc.assert(
      fc.property(fc.subarray([...others], { minLength: 1 }), (some) => {
        const own = visits[0]?.visit.who.rows ?? [];
        const sum = [...own, ...some].reduce((total, { n }) => total + BigInt(n), 0n);
        const seen = having("reads", "SUM", { rows: [[String(sum)]] });
        expect(found(ownRowsOnly.judge(seen, {}))).toEqual(["foreignRows SUM"]);
      }),
    );
  });

  test("names the way after which another's rows are not the same", () => {
    fc.assert(
      fc.property(anyWrite, fc.nat(), ({ one }, at) => {
        const { room, watcher, visit, tried } = one();
        const watched = watcher.rows.filter((_, index) => index !== at % watcher.rows.length).map(({ v }) => [v]);
        const seen = having("writes", tried.way, { watched }, { room, role: visit.who.role });
        expect(found(ownRowsOnly.judge(seen, {}))).toEqual([`foreignChange ${caseOf(tried.way, visit.who.role)}`]);
      }),
    );
  });

  test("does not pass without any of its tables, visits and answers", () => {
    fc.assert(
      fc.property(anyVisit, fc.nat(), fc.boolean(), ({ one }, at, ofReads) => {
        const { room, visit } = one();
        const rooms = soundRooms().map((other) => ({
          ...other,
          visits: other.visits.map((its) => {
            if (other.room !== room || its.who.role !== visit.who.role) return its;
            const list = ofReads ? "reads" : "writes";
            return { ...its, [list]: its[list].filter((_, index) => index !== at % its[list].length) };
          }),
        }));
        expect(ownRowsOnly.judge({ rooms }, {}).kind).toBe("unknown");
      }),
    );
  });

  test("does not take rows of one's own that are shown twice for another's", () => {
    for (const way of ["COUNT(*)", "COUNT(*) with a predicate", "SUM", "SELECT *"]) {
      const own = visits[0]?.visit.who.rows ?? [];
      const rows = readWays
        .find(({ name }) => name === way)
        ?.shows?.([...own, ...own], visits[0]?.visit.place ?? ({} as never));
      expect(ownRowsOnly.judge(having("reads", way, { rows: rows ?? [] }), {}).kind).toBe("unknown");
    }
  });
});

describe("on a server that takes one user for another", () => {
  test("every way to read notices it, and every way to write", async () => {
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
        const fault = actAs("mixUp", /^INSERT INTO \S+\.hot .*'watcher-/, pattern);
        const [outcome] = await run([step], session, { ...options, wire: fault.wrap(wire, () => {}) });
        return outcome?.verdict.kind === "fail" ? outcome.verdict.found.map((one) => one.case ?? "") : [];
      };
      expect(plans[0]?.name).toBe("hot");
      const reads = await noticed(/^(?!INSERT|UPDATE|DELETE|EXECUTE).*(\.hot|FROM hot|"hot")(?!\w)/);
      const searching = readWays.filter(({ name, shows }) => shows !== null && name !== "EXECUTE AS oneself");
      expect(searching.map(({ name }) => name).filter((name) => !reads.includes(name))).toEqual([
        // It finds nothing, which is not what another one has, and so no proof. The sandbox has no names with catalogue.
        "by value, as parameter",
        "name with catalogue",
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
