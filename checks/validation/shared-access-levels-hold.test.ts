import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Verdict } from "../../src/check.ts";
import { no, yes } from "../evidence.ts";
import { levels } from "./openness.ts";
import { soundLevels, turning } from "./shared-access-levels-hold.proof.ts";
import { sharedAccessLevelsHold } from "./shared-access-levels-hold.ts";

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

test("names whatever is refused and should not be", () => {
  fc.assert(
    fc.property(chosen(allowed), (one) => {
      const { level, role, tried } = one();
      const seen = turning(level, role, tried.way, { said: denied, count: null });
      expect(found(sharedAccessLevelsHold.judge(seen, {}))).toContain(`tooClosed ${level}: ${tried.way}, as ${role}`);
    }),
  );
});

test("names whatever is written and should not be, be it granted or refused", () => {
  fc.assert(
    fc.property(chosen(deniedWrites), fc.boolean(), (one, granted) => {
      const { level, role, tried } = one();
      const seen = turning(level, role, tried.way, granted ? { said: yes() } : { state: [["1", "x", "1"]] });
      expect(found(sharedAccessLevelsHold.judge(seen, {}))).toContain(`tooOpen ${level}: ${tried.way}, as ${role}`);
    }),
  );
});

test("names whatever is shown and should not be, be it the whole answer or a part of a refusal", () => {
  const open = soundLevels().tables.find(({ level }) => level === levels[0].level)?.parties[0]?.reads ?? [];
  fc.assert(
    fc.property(chosen(deniedReads), fc.boolean(), (one, whole) => {
      const { level, role, tried } = one();
      const rows = open.find(({ way }) => way === tried.way)?.rows ?? null;
      const seen = turning(level, role, tried.way, whole ? { said: yes(), rows } : { theirs: ["row-2"] });
      expect(found(sharedAccessLevelsHold.judge(seen, {}))).toContain(`tooOpen ${level}: ${tried.way}, as ${role}`);
    }),
  );
});

test("does not pass without any of its tries", () => {
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
