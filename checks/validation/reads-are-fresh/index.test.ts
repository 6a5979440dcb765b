import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { readsAreFresh, type Read } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(readsAreFresh, proof);
const first = (change: Partial<Read>): string[] =>
  judged(readsAreFresh, { ...sound, reads: sound.reads.map((one, at) => (at === 0 ? { ...one, ...change } : one)) });
const passes = [expect.stringMatching(/^pass: 40 reads/)];
const unanswered = ["unknown: SELECT n FROM t WHERE id = 1, by the writer, by key, was not answered with a number"];
const data = (change: object): string =>
  JSON.stringify({
    way: "the writer, by key",
    sql: "SELECT n FROM t WHERE id = 1",
    lateMs: 0,
    got: "0",
    expected: "1",
    ...change,
  });

test.each<readonly [string, Partial<Read>, unknown[]]>([
  ["right at once, and again", { got: "1", again: "1" }, passes],
  ["no number, and right again", { got: null, again: "1" }, unanswered],
  ["wrong, and no number again", { got: "0", again: null }, unanswered],
  ["a wrong count, where an insert may be missing", { open: true, got: "0", again: "0" }, passes],
  ["wrong, and right again", { got: "0", again: "1" }, [`stale: ${data({ again: "1", times: 1, of: 40 })}`]],
  ["wrong, and wrong again", { got: "0", again: "7" }, [`lostWrite: ${data({ again: "7", times: 1, of: 40 })}`]],
])("a read: %s", (_, change, expected) => {
  expect(first(change)).toEqual(expected);
});

test("how many reads are enough", () => {
  const of = (count: number): string[] => judged(readsAreFresh, { ...sound, reads: sound.reads.slice(0, count) });
  expect([30, 29].map((count) => of(count)[0]?.split(" ")[0])).toEqual(["pass:", "unknown:"]);
});
