import fc from "fast-check";
import { expect, test } from "vitest";
import { compressedFramesEqual } from "./index.ts";
import proof from "./proof.ts";
import { ways } from "./receiving.ts";

type Seen = Parameters<typeof compressedFramesEqual.judge>[0];
const sound = proof.holds[0] as Seen;

test("a row that differs or is missing on one connection is named with that connection", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...ways), fc.option(fc.string()), (at, { name }, instead) => {
      const ids = Object.keys(sound.written);
      const id = ids[at % ids.length] ?? "";
      fc.pre(instead !== sound.written[id]);
      const shown = sound.shown.map((one) => {
        const { [id]: _, ...others } = one.rows;
        return one.way === name ? { ...one, rows: instead === null ? others : { ...others, [id]: instead } } : one;
      });
      const verdict = compressedFramesEqual.judge({ ...sound, shown }, compressedFramesEqual.limits);
      const found = verdict.kind === "fail" ? verdict.found.map((one) => [one.name, one.case]) : verdict;
      expect(found).toEqual([["differs", name]]);
    }),
  );
});
