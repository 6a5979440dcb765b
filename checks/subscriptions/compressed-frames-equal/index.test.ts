import fc from "fast-check";
import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
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

test("a row that came differs, also where the last one did not come", () => {
  const shown = sound.shown.map((one) =>
    one.way === "gzip" ? { ...one, fenced: false, rows: { "0": "another" } } : one,
  );
  expect(judged(compressedFramesEqual, { ...sound, shown })).toEqual([
    expect.stringMatching(/^differs: gzip: .*"rows":1,"of":\d+,"first":"row 0 of /),
  ]);
});

test("an offer fails where all others work, and not where one of them is broken, too", () => {
  const offerFails = "closed 1006";
  const without = sound.shown.slice(0, -1);
  const failed = [`offerFails: ${JSON.stringify({ why: offerFails })}`];
  expect(judged(compressedFramesEqual, { ...sound, shown: without, offerFails })).toEqual(failed);
  expect(judged(compressedFramesEqual, { ...sound, shown: without.slice(0, 1), offerFails })).toEqual(failed);
  const broken = without.map((one, at) => (at === 1 ? { ...one, fenced: false } : one));
  expect(judged(compressedFramesEqual, { ...sound, shown: broken, offerFails })).toEqual([
    "unknown: not every connection was observed",
  ]);
});
