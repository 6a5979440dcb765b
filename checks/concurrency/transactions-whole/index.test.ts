import { expect, test } from "vitest";
import type { Operation, Read, Values } from "../../../src/history/history.ts";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { transactionsWhole } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(transactionsWhole, proof);
const transfers = sound.operations.filter(({ kind }) => kind === "update");
const reads = sound.operations.filter((one) => one.kind === "read");
const last = reads.at(-1) as Read;
const showing = (read: Read | undefined, rows: readonly Values[] | null): Operation => ({ ...(read ?? last), rows });
const balances = (...all: string[]): Values[] => all.map((balance, at) => ({ id: String(at + 1), balance }));
const instead = (at: number, ...rows: Values[]): Operation[] => [
  ...transfers,
  ...reads.map((one, n) => (n === at ? showing(one, rows) : one)),
];
const torn = (saw: string): string => `tornRead: ${JSON.stringify({ saw, expected: 200, times: 1, of: 13 })}`;
const two = {
  pairs: 2,
  operations: [...transfers, ...reads.map((one) => showing(one, balances("90", "110", "100", "100")))],
};

test.each<readonly [string, Partial<typeof sound>, string]>([
  ["another total", { operations: instead(3, ...balances("93", "100")) }, torn("a total of 193")],
  [
    "a row twice",
    { operations: instead(3, ...balances("100", "100"), { id: "2", balance: "100" }) },
    torn("accounts missing or twice (2)"),
  ],
  ["no row", { operations: instead(3) }, torn("accounts missing or twice (1, 2)")],
  ["no number", { operations: instead(3, ...balances("100", "x")) }, torn("no number as the balance of 2")],
  [
    "another total to the end",
    { operations: instead(12, ...balances("93", "100")) },
    'moneyLost: {"saw":"a total of 193","expected":200,"transfers":12}',
  ],
  [
    "another total to the end, and no answer after it",
    { operations: [...instead(12, ...balances("93", "100")), { ...last, outcome: "unsure", rows: null }] },
    'moneyLost: {"saw":"a total of 193","expected":200,"transfers":12}',
  ],
  [
    "another total, and no answer",
    { operations: [...instead(3, ...balances("93", "100")), { ...last, outcome: "unsure", rows: null }] },
    torn("a total of 193"),
  ],
  ["two pairs", two, "pass: 13 reads of 4 accounts show the same total"],
  [
    "two pairs, a row too few",
    { ...two, operations: [...two.operations.slice(0, -1), showing(last, balances("90", "110", "200"))] },
    'moneyLost: {"saw":"accounts missing or twice (4)","expected":400,"transfers":12}',
  ],
  ["eight transfers", { operations: [...transfers.slice(0, 16), ...reads] }, "unknown: only 8 reads were in flight"],
  [
    "seven transfers",
    { operations: [...transfers.slice(0, 14), ...reads] },
    "unknown: only 7 transfers were acknowledged",
  ],
  [
    "ten reads in flight with one",
    { operations: [...transfers, ...reads.slice(0, 10), last] },
    "pass: 11 reads of 2 accounts",
  ],
  [
    "nine reads in flight with one",
    { operations: [...transfers, ...reads.slice(0, 9), last] },
    "unknown: only 9 reads were in flight together with a transfer; at least 10 are needed",
  ],
])("%s", (_, change, verdict) => {
  const [first, ...others] = judged(transactionsWhole, { ...sound, ...change });
  expect(first).toContain(verdict);
  expect(others).toEqual([]);
});
