import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Verdict } from "../../../src/check.ts";
import { no, yes } from "../../vocabulary/evidence.ts";
import { levelsFor } from "./levels.ts";
import { received, soundLevels, withAttempt, withListening, withOpenQuery } from "./proof.ts";
import { sharedAccessLevelsHold } from "./index.ts";

const tries = soundLevels().tables.flatMap(({ level, parties }) =>
  parties.flatMap(({ role, reads, writes }) => [
    ...reads.map((tried) => ({ level, role, tried, reads: true })),
    ...writes.map((tried) => ({ level, role, tried, reads: false })),
  ]),
);
const allowed = tries.filter(({ tried }) => tried.said.kind === "ok");
const deniedWrites = tries.filter(({ tried, reads }) => tried.said.kind !== "ok" && !reads);
const deniedReads = tries.filter(({ tried, reads }) => tried.said.kind !== "ok" && reads);
const denied = no("PERMISSION_DENIED", "Access denied", "permission", 403);
const found = (verdict: Verdict): string[] =>
  verdict.kind === "fail" ? verdict.found.map((one) => `${one.name} ${one.case ?? ""}`) : [verdict.kind];
const chosen = <T>(from: readonly T[]): fc.Arbitrary<() => T> =>
  fc.nat(from.length - 1).map((at) => () => from[at] as T);

test("names every attempt that is refused and must not be", () => {
  fc.assert(
    fc.property(chosen(allowed), (one) => {
      const { level, role, tried } = one();
      const seen = withAttempt(level, role, tried.way, { said: denied, count: null });
      expect(found(sharedAccessLevelsHold.judge(seen, {}))).toContain(`tooClosed ${level}: ${tried.way}, as ${role}`);
    }),
  );
});

test("names every write that must be refused, whether it is acknowledged or only done", () => {
  fc.assert(
    fc.property(chosen(deniedWrites), fc.boolean(), (one, granted) => {
      const { level, role, tried } = one();
      const seen = withAttempt(level, role, tried.way, granted ? { said: yes() } : { state: [["1", "x", "1"]] });
      expect(found(sharedAccessLevelsHold.judge(seen, {}))).toContain(`tooOpen ${level}: ${tried.way}, as ${role}`);
    }),
  );
});

test("names every read that must be refused, whether all rows are returned or a refusal quotes one", () => {
  const open = soundLevels().tables.find(({ level }) => level === "PUBLIC")?.parties[0]?.reads ?? [];
  fc.assert(
    fc.property(chosen(deniedReads), fc.boolean(), (one, whole) => {
      const { level, role, tried } = one();
      const rows = open.find(({ way }) => way === tried.way)?.rows ?? null;
      const seen = withAttempt(level, role, tried.way, whole ? { said: yes(), rows } : { foreign: ["row-2"] });
      expect(found(sharedAccessLevelsHold.judge(seen, {}))).toContain(`tooOpen ${level}: ${tried.way}, as ${role}`);
    }),
  );
});

test("does not pass if any attempt is missing", () => {
  fc.assert(
    fc.property(chosen(tries), (one) => {
      const { level, role, tried } = one();
      const sound = soundLevels();
      const tables = sound.tables.map((table) => ({
        ...table,
        parties: table.parties.map((party) => {
          if (table.level !== level || party.role !== role) return party;
          const without = <T extends { way: string }>(list: readonly T[]): T[] =>
            list.filter(({ way }) => way !== tried.way);
          return { ...party, reads: without(party.reads), writes: without(party.writes) };
        }),
      }));
      expect(sharedAccessLevelsHold.judge({ ...sound, tables }, {}).kind).toBe("unknown");
    }),
  );
});

const anyRole = fc.constantFrom("user", "service", "dba");

test("names the live query that begins and must not, and the one that must begin and does not", () => {
  fc.assert(
    fc.property(fc.constantFrom(...levelsFor("levels")), anyRole, ({ level, usersRead }, role) => {
      const open = role !== "user" || usersRead;
      const seen = withListening(level, role, received(!open));
      const name = open ? "tooClosed" : "tooOpen";
      expect(found(sharedAccessLevelsHold.judge(seen, {}))).toEqual([`${name} ${level}: live query, as ${role}`]);
    }),
  );
});

test("names the open live query that delivers rows after its table became PRIVATE, however its connection ends", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 }),
      fc.boolean(),
      fc.constantFrom(null, 1006, 1008),
      (leaked, fenceArrived, ended) => {
        const seen = withOpenQuery({ leaked, fenceArrived, ended });
        expect(found(sharedAccessLevelsHold.judge(seen, {}))).toEqual(["lateRevoke closed: live query"]);
      },
    ),
  );
});
