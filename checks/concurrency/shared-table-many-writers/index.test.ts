import { expect, test } from "vitest";
import type { Operation, Read, Values } from "../../../src/history/history.ts";
import { cellText } from "../../../src/wire/json.ts";
import { foundIn, judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { abreast } from "../evidence.ts";
import { sharedTableManyWriters } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(sharedTableManyWriters, proof);
const inserts = sound.operations.filter(({ kind }) => kind === "insert");
const final = sound.operations.at(-1) as Read;
const rows = final.rows ?? [];
const readOf = (shown: readonly Values[], invokedAt = final.invokedAt): Operation => ({
  ...final,
  invokedAt,
  returnedAt: invokedAt + 5,
  rows: shown,
});
const stored = (...authors: string[]): Operation[] => [
  ...inserts,
  readOf([...rows, ...authors.map((author, at) => ({ id: String(900 + at), author }))]),
];
const allKeys = rows.map(({ id }) => cellText(id));
const attempting = (...users: number[]) =>
  sound.attempts.map((one) => (users.includes(one.user) ? { ...one, said: yes() } : one));
const looking = (...views: (typeof sound.views)[number][]) => [...views, ...sound.views.slice(views.length)];
const denied = no("PERMISSION_DENIED", "x".repeat(250), "permission", 403);
const views = (keys: readonly string[]) => sound.views.map((one) => ({ ...one, keys }));

test.each<readonly [string, Partial<typeof sound>, string]>([
  [
    "a row lost, another with another author",
    {
      operations: [
        ...inserts,
        readOf(rows.slice(1).map((row) => (row["id"] === "3" ? { ...row, author: "author 1" } : row))),
      ],
      views: views(allKeys.slice(1)),
    },
    'lostRows: {"lost":2,"of":15,"keys":["0","3"]}',
  ],
  [
    "what two users stored, and nobody acknowledged",
    { operations: stored("author 5", "author 6", "author 6"), views: views([...allKeys, "900", "901", "902"]) },
    'userWrote: {"users":2,"status":null,"stored":["author 5","author 6","author 6"]}',
  ],
  [
    "what one user stored",
    { operations: stored("author 5"), views: views([...allKeys, "900"]) },
    'userWrote: {"users":1,"status":null,"stored":["author 5"]}',
  ],
  ["two users acknowledged", { attempts: attempting(6, 8) }, 'userWrote: {"users":2,"status":200,"stored":[]}'],
  [
    "users who may not read, and one who sees too little",
    { views: looking({ said: denied, keys: null }, { said: yes(), keys: allKeys.slice(2) }) },
    `userCannotRead: ${JSON.stringify({ users: 2, of: 5, why: `${"x".repeat(200)}…` })}`,
  ],
  [
    "a user who lacks two rows",
    { views: looking({ said: yes(), keys: allKeys.slice(2) }) },
    'userCannotRead: {"users":1,"of":5,"why":"only 13 of 15 rows"}',
  ],
  ...[no("RATE", "slower", "rate", 429), { ...nothing("permission"), status: 403 }].map(
    (said) =>
      [
        `a read without rows: ${said.kind}`,
        { views: looking({ said, keys: null }) },
        "unknown: only 5 inserts were tried by users, and only 4 of their reads answered",
      ] as const,
  ),
  ["three at once", { operations: [...abreast(inserts, 3), readOf(rows, 500)] }, "pass"],
  [
    "two at once",
    { operations: [...abreast(inserts, 2), readOf(rows, 500)] },
    "unknown: at most 2 inserts were in flight together; at least 3 are needed",
  ],
])("%s", (_, change, verdict) => {
  const [first, ...others] = judged(sharedTableManyWriters, { ...sound, ...change });
  expect(first).toContain(verdict);
  expect(others).toEqual([]);
});

test("the requests that show it: what was acknowledged, and else all that was tried", () => {
  const attempts = sound.attempts.map((one, at) => ({ ...one, said: { ...one.said, exchange: at } }));
  const written = attempts.map((one) => (one.user === 7 ? { ...one, said: { ...yes(), exchange: 70 } } : one));
  expect(foundIn(sharedTableManyWriters, { ...sound, attempts: written })[0]?.sent).toEqual([70]);
  const seen = { ...sound, attempts, operations: stored("author 5"), views: views([...allKeys, "900"]) };
  expect(foundIn(sharedTableManyWriters, seen)[0]?.sent).toEqual([0, 1, 2, 3, 4]);
});
