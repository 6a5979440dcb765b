import { expect, test } from "vitest";
import type { Read } from "../../../src/history/history.ts";
import type { Answer } from "../../../src/server/target.ts";
import type { Json } from "../../../src/wire/json.ts";
import { cellText } from "../../../src/wire/json.ts";
import { foundIn, judged, no, nothing, soundFor } from "../../vocabulary/evidence.ts";
import { lookOf, schemaChangeUnderWrites } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(schemaChangeUnderWrites, proof);
type Look = (typeof sound.looks)[number];
const inserts = sound.operations.filter(({ kind }) => kind === "insert");
const final = sound.operations.at(-1) as Read;
const last = sound.looks.at(-1) as Look;
const shown = (change: (id: string, mark: string) => string | undefined): Read => ({
  ...final,
  rows: (final.rows ?? []).flatMap((row) => {
    const mark = change(cellText(row["id"]), cellText(row["mark"]));
    return mark === undefined ? [] : [{ ...row, mark }];
  }),
});
/** Before the last look. */
const looking = (...looks: Partial<Look>[]): Partial<typeof sound> => ({
  looks: [
    ...sound.looks.slice(0, -1),
    ...looks.map((one) => ({ ...last, invokedAt: 200, returnedAt: 205, ...one })),
    last,
  ],
});
const broke = { ...nothing("unavailable"), status: 500, code: "INTERNAL_ERROR", message: "schema mismatch" };
const extra = ["id", "mark", "extra"];
/** So many of the inserts and looks while columns changed. */
const during = (writes: number, reads: number): Partial<typeof sound> => {
  const isMeant = (count: number) => {
    let left = count;
    return ({ invokedAt, returnedAt }: { invokedAt: number; returnedAt: number }): boolean => {
      if (returnedAt <= sound.add.invokedAt || invokedAt >= sound.drop.returnedAt) return true;
      left -= 1;
      return left >= 0;
    };
  };
  const kept = inserts.filter(isMeant(writes));
  const keys = new Set(kept.map(({ key }) => key));
  return {
    operations: [...kept, shown((id, mark) => (keys.has(id) ? mark : undefined))],
    looks: sound.looks.filter(isMeant(reads)),
  };
};
const thin = (writes: number, reads: number): string =>
  `unknown: only ${writes} inserts and ${reads} reads were answered between the changes; at least 10 and 5 are needed`;

test.each<readonly [string, Partial<typeof sound>, string]>([
  [
    "a row lost, two changed, one rejected",
    {
      operations: [
        ...inserts.map((one) => (one.key === "20" ? { ...one, outcome: "refused" as const } : one)),
        shown((id, mark) => (/^(3|20)$/.test(id) ? undefined : /^[45]$/.test(id) ? "x" : mark)),
      ],
    },
    'lostRows: {"lost":1,"changed":2,"of":39,"keys":["3","4","5"]}',
  ],
  [
    "a row changed, none lost",
    { operations: [...inserts, shown((id, mark) => (id === "4" ? "x" : mark))] },
    'lostRows: {"lost":0,"changed":1,"of":40,"keys":["4"]}',
  ],
  [
    "a value in the wrong column, two reads that no one can judge",
    looking(
      { misplaced: "[3,4]", columns: extra },
      { said: nothing(), columns: [] },
      { said: no("X", "no", "rule"), columns: [] },
    ),
    'wrongShape: {"what":"[3,4]","times":1,"of":42}',
  ],
  ["no columns", looking({ columns: [] }, { columns: ["x"] }), 'wrongShape: {"what":"no columns","times":2,"of":43}'],
  [
    "the column is there at the end",
    { looks: [...sound.looks.slice(0, -1), { ...last, columns: extra }] },
    'wrongShape: {"what":"id, mark, extra","times":1,"of":41}',
  ],
  [
    "the column is there at the end, and was perhaps not dropped",
    { looks: [...sound.looks.slice(0, -1), { ...last, columns: extra }], drop: { ...sound.drop, said: nothing() } },
    "unknown: DROP COLUMN was not acknowledged: no answer within 15000 ms",
  ],
  [
    "two server errors, from the moment when the column was added",
    { errors: [100, 105].map((invokedAt) => ({ said: broke, invokedAt })) },
    'serverError: {"status":500,"message":"schema mismatch","times":2}',
  ],
  ["just enough", during(10, 5), "pass"],
  ["a write too few", during(9, 5), thin(9, 5)],
  ["a read too few", during(10, 4), thin(10, 4)],
  [
    "one rejected",
    {
      operations: [
        ...inserts.map((one) => (one.key === "20" ? { ...one, outcome: "refused" as const } : one)),
        shown((id, mark) => (id === "20" ? undefined : mark)),
      ],
    },
    "pass: 39 acknowledged rows, all there, 19 of them written while columns changed; 41 reads, each in one of two shapes; 1 inserts refused",
  ],
])("%s", (_, change, verdict) => {
  const [first, ...others] = judged(schemaChangeUnderWrites, { ...sound, ...change });
  expect(first).toContain(verdict);
  expect(others).toEqual([]);
});

test("the requests that show it", () => {
  const operations = [...inserts, shown((id, mark) => (id === "3" ? undefined : /^[45]$/.test(id) ? "x" : mark))];
  const found = foundIn(schemaChangeUnderWrites, { ...sound, operations });
  expect(found.map(({ sent }) => sent)).toEqual([[3, 4, 5]]);
});

const answer = (names: readonly string[], rows: readonly (readonly Json[])[]): Answer => ({
  kind: "ok",
  status: 200,
  results: [{ columns: names.map((name) => ({ name, type: "Text", flags: [] })), rows, rowCount: rows.length }],
  tookMs: 1,
  exchange: 7,
  sentAt: 10,
  doneAt: 12,
});

test.each<readonly [string, readonly string[], readonly (readonly Json[])[], readonly string[], string | null]>([
  [
    "as it was",
    ["id", "mark"],
    [
      ["3", "m3"],
      ["4", "m4"],
    ],
    ["id", "mark"],
    null,
  ],
  [
    "with the column",
    ["id", "mark", "extra"],
    [
      ["3", "m3", "x3"],
      ["4", "m4", null],
    ],
    ["id", "mark", "extra"],
    null,
  ],
  [
    "with columns of the server's own",
    ["_seq", "id", "mark", "_deleted"],
    [["9", "3", "m3", "no"]],
    ["id", "mark"],
    null,
  ],
  ["in another order", ["mark", "id"], [["m3", "3"]], ["mark", "id"], null],
  [
    "with a text of another row",
    ["id", "mark"],
    [
      ["3", "m3"],
      ["4", "m3"],
    ],
    ["id", "mark"],
    '["4","m3"]',
  ],
  [
    "with a text in the new column",
    ["id", "mark", "extra"],
    [["3", "m3", "m3"]],
    ["id", "mark", "extra"],
    '["3","m3","m3"]',
  ],
  ["without a column that tells", ["id"], [["3"]], ["id"], null],
  ["without a key", ["mark"], [["m3"]], ["mark"], null],
])("the shape of an answer: %s", (_, names, rows, columns, misplaced) => {
  expect(lookOf(answer(names, rows))).toEqual({
    said: { kind: "ok", status: 200, code: "", message: "", why: "", exchange: 7 },
    invokedAt: 10,
    returnedAt: 12,
    columns,
    misplaced,
  });
});

test("the shape of no answer", () => {
  const lost: Answer = { kind: "unsure", because: "timeout", message: "none", exchange: 7, sentAt: 10, doneAt: 12 };
  expect(lookOf(lost)).toMatchObject({ said: { kind: "unsure", why: "timeout" }, columns: [], misplaced: null });
});
