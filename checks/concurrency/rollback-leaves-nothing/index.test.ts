import { expect, test } from "vitest";
import type { Read } from "../../../src/history/history.ts";
import { cellText } from "../../../src/wire/json.ts";
import { foundIn, judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { rollbackLeavesNothing } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(rollbackLeavesNothing, proof);
type Batch = (typeof sound.batches)[number];
const reads = sound.operations as readonly Read[];
const last = reads.at(-1) as Read;
const undone = { id: "1000", mark: "undone" };
const showing = (read: Read, ...ids: string[]): Read => ({
  ...read,
  rows: [...(last.rows ?? []).filter(({ id }) => !ids.includes(cellText(id))), undone],
});
/** The batches of a kind: so many are answered as ever, and the others are not. */
const answering = (kind: Batch["kind"], count: number): Batch[] => {
  const all = sound.batches.filter((one) => one.kind === kind);
  const others = all.slice(count).map((one) => ({ ...one, said: nothing() }));
  return [...sound.batches.filter((one) => one.kind !== kind), ...all.slice(0, count), ...others];
};
test.each<readonly [string, Partial<typeof sound>, string]>([
  ...(["failing", "without an end"] as const).flatMap((kind) => [
    [`three batches ${kind} answered`, { batches: answering(kind, 3) }, "pass: 12 batches left nothing"] as const,
    [
      `two batches ${kind} answered`,
      { batches: answering(kind, 2) },
      `unknown: only 2 batches ${kind} were answered; at least 3 are needed`,
    ] as const,
  ]),
  [
    "two batches rolled back answered",
    { batches: answering("rolled back", 2) },
    "unknown: only 2 batches rolled back were answered; at least 3 are needed",
  ],
  [
    "no batches that roll back",
    { batches: sound.batches.filter(({ kind }) => kind !== "rolled back") },
    "unknown: only 0 batches rolled back were answered; at least 3 are needed",
  ],
  [
    "a ROLLBACK that is refused",
    { batches: [...sound.batches, { ...answering("rolled back", 4)[8], said: no("X", "no", "rule") } as Batch] },
    "unknown: a batch with ROLLBACK was not acknowledged: no",
  ],
  [
    "ten reads in flight with a batch",
    { operations: [...reads.slice(0, 10), last] },
    "pass: 12 batches left nothing; 11 reads",
  ],
  [
    "nine reads in flight with a batch",
    { operations: [...reads.slice(0, 9), last] },
    "unknown: only 9 reads were in flight together with a batch; at least 10 are needed",
  ],
  [
    "two reads that show and lack a row",
    { operations: [...reads.slice(0, 12), showing(reads[12] as Read, "2"), showing(reads[13] as Read), last] },
    'dirtyRead: {"rows":["+ 1000 undone","- 2 base"],"times":2,"of":15}',
  ],
  [
    "a row that is left, and was seen before",
    { operations: [...reads.slice(0, 13), showing(reads[13] as Read), showing(last)] },
    'keptRows: {"rows":["+ 1000 undone"]}',
  ],
  [
    "an unanswered read after the last one",
    { operations: [...reads, { ...last, outcome: "unsure", rows: null }] },
    "pass: 12 batches",
  ],
  [
    "two open transactions",
    { open: ["t1", "t2"].map((transaction) => ({ transaction, owner: `of ${transaction}` })) },
    'openTransaction: {"count":2,"owner":"of t1"}',
  ],
])("%s", (_, change, verdict) => {
  const [first, ...others] = judged(rollbackLeavesNothing, { ...sound, ...change });
  expect(first).toContain(verdict);
  expect(others).toEqual([]);
});

test("a transaction stays open because of a batch without an end", () => {
  const batches = sound.batches.map((one, at) => ({ ...one, said: { ...yes(), ...one.said, exchange: at } }));
  const found = foundIn(rollbackLeavesNothing, { ...sound, batches, open: [{ transaction: "t1", owner: "o" }] });
  expect(found.map(({ sent }) => sent)).toEqual([[8]]);
});
