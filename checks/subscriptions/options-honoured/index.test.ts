import fc from "fast-check";
import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { cases } from "./cases.ts";
import { optionsHonoured } from "./index.ts";

type Seen = Parameters<typeof optionsHonoured.judge>[0];
const sound = proof.holds[0] as Seen;
const judge = (seen: Seen) => optionsHonoured.judge(seen, optionsHonoured.limits);
const served = sound.opened.filter(({ opening }) => opening.kind === "ready");

/** The same rows in other pages and another order. */
const legal = fc.array(fc.nat(), { minLength: 100, maxLength: 100 }).map((dice): Seen => {
  let next = 0;
  const roll = (below: number): number => (dice[(next += 1) % dice.length] ?? 0) % Math.max(1, below);
  const cut = (rows: readonly string[], size: number): string[][] => {
    const pages: string[][] = [];
    const left = [...rows];
    while (left.length > 0) pages.push(left.splice(0, 1 + roll(Math.min(size, left.length))));
    return pages;
  };
  return {
    ...sound,
    opened: sound.opened.map((one) => {
      const rows = one.pages.flat();
      const size = cases.find(({ name }) => name === one.case)?.options?.batchSize ?? 1_000;
      const turned = roll(rows.length);
      return { ...one, pages: cut([...rows.slice(turned), ...rows.slice(0, turned)], size) };
    }),
  };
});

test("any pages and any order of the right rows pass", () => {
  fc.assert(
    fc.property(legal, (seen) => {
      expect(judge(seen).kind).toBe("pass");
    }),
  );
});

test("a missing, extra or duplicate row is named, with its case", () => {
  fc.assert(
    fc.property(legal, fc.nat(), fc.nat(), fc.constantFrom("lose", "double", "add"), (seen, which, at, what) => {
      const name = served[which % served.length]?.case ?? "";
      const broken = seen.opened.map((one) => {
        if (one.case !== name) return one;
        const rows = one.pages.flat();
        const row = rows[at % Math.max(1, rows.length)];
        if (what === "add") return { ...one, pages: [...one.pages, ["777"]] };
        if (row === undefined) return { ...one, pages: [["777"]] };
        if (what === "double") return { ...one, pages: [...one.pages, [row]] };
        return { ...one, pages: one.pages.map((page) => page.filter((id) => id !== row)) };
      });
      const verdict = judge({ ...seen, opened: broken });
      expect(verdict.kind).toBe("fail");
      if (verdict.kind === "fail") expect(verdict.found.map((found) => found.case)).toEqual([name]);
    }),
  );
});

const rows = (from: number, count: number): string[] => Array.from({ length: count }, (_, n) => String(from + n));
const having = (name: string, pages: readonly (readonly string[])[]): string[] =>
  judged(optionsHonoured, {
    ...sound,
    opened: sound.opened.map((one) => (one.case === name ? { ...one, pages } : one)),
  });

test("of many rows five are named", () => {
  const { newest } = sound;
  const lost = { rows: 13, of: 20, pages: 1, missing: newest.slice(0, 5) };
  expect(having("empty options", [newest.slice(7)])).toEqual([`lostPage: empty options: ${JSON.stringify(lost)}`]);
  expect(having("empty options", [newest, rows(100, 7)])).toEqual([
    `wrongWindow: empty options: ${JSON.stringify({ wanted: "all rows", missing: [], extra: rows(100, 5) })}`,
  ]);
  expect(having("empty options", [newest, newest.slice(0, 7)])).toEqual([
    `doubledPage: empty options: ${JSON.stringify({ pages: 2, doubled: newest.slice(0, 5) })}`,
  ]);
});

test("pages may be as long as asked for, and no longer", () => {
  const { newest } = sound;
  const long = (extra: readonly string[]): string[] => [
    `wrongWindow: pages of 7: ${JSON.stringify({ wanted: "pages of 7 rows", missing: [], extra })}`,
  ];
  expect(having("pages of 7", [newest.slice(0, 7), newest.slice(7, 14), newest.slice(14)])).toEqual([
    expect.stringMatching(/^pass/),
  ]);
  expect(having("pages of 7", [newest.slice(0, 7), newest.slice(7, 15), newest.slice(15)])).toEqual(
    long(newest.slice(14, 15)),
  );
  expect(having("pages of 7", [newest])).toEqual(long(newest.slice(7, 12)));
});
