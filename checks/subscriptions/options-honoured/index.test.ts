import fc from "fast-check";
import { expect, test } from "vitest";
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
