import { expect, test } from "vitest";
import { foundIn, judged, soundFor } from "../../vocabulary/evidence.ts";
import { deletesCountOnce } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(deletesCountOnce, proof);
type Deletion = (typeof sound.deletions)[number];
/** The deletions of these keys, changed; `client` counts from 0 among those of the same keys. */
const having = (change: (of: string, client: number) => Partial<Deletion>): Deletion[] => {
  const clients = new Map<string, number>();
  return sound.deletions.map((one) => {
    const of = one.keys.join(" ");
    const client = clients.get(of) ?? 0;
    clients.set(of, client + 1);
    return { ...one, ...change(of, client) };
  });
};
const unsure = { outcome: "unsure", rows: null } as const;

test.each<readonly [string, Partial<typeof sound>, string[]]>([
  [
    "two rows counted twice, one of them beside an unanswered delete",
    {
      deletions: having((of, client) =>
        of === "2" && client === 2 ? unsure : /^[23]$/.test(of) && client === 0 ? { rows: 1 } : {},
      ),
    },
    ['countedTwice: {"key":2,"clients":2,"keys":2}'],
  ],
  [
    "two rows counted by nobody",
    { deletions: having((of) => (/^[23]$/.test(of) ? { rows: 0 } : {})) },
    ['notCounted: {"keys":[2],"rows":0}'],
  ],
  [
    "not counted, because an unanswered delete may have",
    { deletions: having((of, client) => (of === "2" ? (client === 1 ? unsure : { rows: 0 }) : {})) },
    ["pass: 8 rows deleted and counted once, 4 of them by up to 3 clients at once; none left, none back after a flush"],
  ],
  [
    "a range half of which is left",
    {
      deletions: having((of) => (of === "100 101" ? { rows: 1 } : {})),
      left: ["100"],
      leftAfterFlush: ["100"],
    },
    ['leftBehind: {"keys":["100"],"rows":1}'],
  ],
  [
    "not counted, and not known to be gone",
    { deletions: having((of) => (of === "2" ? { rows: 0 } : {})), left: null },
    ["unknown: the table could not be read afterwards"],
  ],
  [
    "a row that is gone, although each delete of it was rejected, and is there after the flush",
    { deletions: having((of) => (of === "2" ? { outcome: "refused", rows: null } : {})), leftAfterFlush: ["2"] },
    ['notCounted: {"keys":[2],"rows":0}'],
  ],
  [
    "a row that nobody deleted, seen only after the flush",
    { leftAfterFlush: ["77"] },
    ["pass: 8 rows deleted and counted once, 4 of them by up to 3 clients at once; none left, none back after a flush"],
  ],
  [
    "a row of a rejected range, seen only after the flush",
    {
      deletions: having((of) => (of === "200 201" ? { outcome: "refused", rows: null } : {})),
      left: ["201"],
      leftAfterFlush: ["200"],
    },
    ["unknown: no delete of row 200 was acknowledged"],
  ],
])("%s", (_, change, verdict) => {
  expect(judged(deletesCountOnce, { ...sound, ...change })).toEqual(verdict);
});

const one = (n: number, change: Partial<Deletion> = {}): Deletion => ({
  keys: [500 + n],
  rows: 1,
  outcome: "ok",
  message: "",
  sentAt: 10_000 + 10 * n,
  doneAt: 10_005 + 10 * n,
  exchange: 10_000 + n,
  ...change,
});

test.each([
  [4, "pass"],
  [5, "unknown: 5 of 40 deletes got no clear answer"],
])("%d of 40 deletes without a clear answer", (count, verdict) => {
  let left = count;
  const open = having((of, client) => (client === 1 || of.includes(" ") || --left < 0 ? {} : unsure));
  const deletions = [...open, ...Array.from({ length: 26 }, (_, n) => one(n))];
  expect(deletions).toHaveLength(40);
  expect(judged(deletesCountOnce, { ...sound, deletions })[0]).toContain(verdict);
});

test.each([
  [3, "pass: 8 rows deleted and counted once, 3 of them by up to 2 clients at once"],
  [2, "unknown: deletes of only 2 rows were in flight together; at least 3 are needed"],
])("%d rows that two clients delete at once", (rows, verdict) => {
  const raced = Array.from({ length: rows }, (_, n) => [one(n), one(n, { rows: 0, exchange: 20_000 + n })]);
  const most = [one(8), one(9, { sentAt: 20_000, doneAt: 20_005 })];
  expect(judged(deletesCountOnce, { ...sound, deletions: [...raced.flat(), ...most] })[0]).toContain(verdict);
});

test("the most at once are told, not the fewest", () => {
  const deletions = sound.deletions.filter(({ exchange }) => exchange !== 12);
  expect(judged(deletesCountOnce, { ...sound, deletions })[0]).toContain("4 of them by up to 3 clients at once");
});

test("the requests that show it: the deletes of the first row", () => {
  const left = foundIn(deletesCountOnce, { ...sound, left: ["101", "3"], leftAfterFlush: ["101", "3"] });
  expect(left.map(({ name, sent }) => [name, sent])).toEqual([["leftBehind", [1000]]]);
  const back = foundIn(deletesCountOnce, { ...sound, leftAfterFlush: ["3", "101"] });
  expect(back.map(({ name, sent }) => [name, sent])).toEqual([["cameBack", [30, 31, 32]]]);
});
