import { afterEach, expect, test, vi } from "vitest";
import type { Context } from "../../src/check.ts";
import { precedes } from "../../src/history/history.ts";
import type { Answer, Target } from "../../src/server/target.ts";
import { onSchedule, readOf, writesOf } from "./operations.ts";

afterEach(() => void vi.restoreAllMocks());

const times = { exchange: 7, sentAt: 100.4, doneAt: 103.6 };
const written = (rowCount: number): Answer => ({
  kind: "ok",
  status: 200,
  results: [{ columns: [], rows: [], rowCount }],
  tookMs: 1,
  ...times,
});
const refused = (cause: "constraint" | "batchPart"): Answer => ({
  kind: "refused",
  status: 400,
  code: "INVALID_INPUT",
  message: "no",
  cause,
  ...times,
});
const lost: Answer = { kind: "unsure", because: "timeout", message: "no answer", ...times };
const rows = ["1", "2"].map((key) => ({ kind: "insert", key, values: { mark: `m${key}` } }) as const);
const column = (name: string) => ({ name, type: "Text", flags: [] });

test("each row of a statement is a write with the statement's number, times and outcome", () => {
  expect(writesOf(written(2), { client: 3, dueAt: 90.2 }, rows)).toEqual(
    rows.map((row) => ({
      ...row,
      client: 3,
      statement: 7,
      dueAt: 90.2,
      invokedAt: 100.4,
      returnedAt: 103.6,
      outcome: "ok",
    })),
  );
});

test("without a schedule a statement was due when it was sent", () => {
  expect(writesOf(written(2), { client: 0 }, rows).map(({ dueAt }) => dueAt)).toEqual([100.4, 100.4]);
});

test("only an answer with the right number of rows obliges, and only a whole refusal forbids", () => {
  const outcome = (answer: Answer) => writesOf(answer, { client: 0 }, rows)[0]?.outcome;
  expect([written(2), written(1), refused("constraint"), refused("batchPart"), lost].map(outcome)).toEqual([
    "ok",
    "unsure",
    "refused",
    "unsure",
    "unsure",
  ]);
});

test("a read keeps the rows without system columns; no rows are not the same as no answer", () => {
  const answered = (cells: readonly (readonly string[])[]): Answer => ({
    ...(written(cells.length) as Extract<Answer, { kind: "ok" }>),
    results: [{ columns: [column("id"), column("_seq")], rows: cells, rowCount: cells.length }],
  });
  const read = (answer: Answer) => readOf(answer, { client: 1 }, "5");
  expect(read(answered([["5", "99"]]))).toEqual({
    kind: "read",
    key: "5",
    rows: [{ id: "5" }],
    client: 1,
    statement: 7,
    dueAt: 100.4,
    invokedAt: 100.4,
    returnedAt: 103.6,
    outcome: "ok",
  });
  expect([read(answered([])), read(written(0)), read(lost), read(refused("constraint"))]).toMatchObject([
    { rows: [], outcome: "ok" },
    { rows: null, outcome: "unsure" },
    { rows: null, outcome: "unsure" },
    { rows: null, outcome: "refused" },
  ]);
});

test("only what had certainly returned precedes what was sent then", () => {
  const write = (doneAt: number) => writesOf({ ...written(1), doneAt }, { client: 0 }, rows.slice(0, 1))[0];
  const read = (sentAt: number) => readOf({ ...written(0), sentAt, doneAt: sentAt + 1 }, { client: 1 }, null);
  const order = (doneAt: number, sentAt: number): boolean => {
    const [one, other] = [write(doneAt), read(sentAt)];
    return one !== undefined && precedes(one, other);
  };
  expect([order(103.6, 104), order(103.6, 103.61), order(103.6, 103), order(104, 103.6)]).toEqual([
    true,
    true,
    false,
    false,
  ]);
  // Rounded to the nearest millisecond, the first one of these was over before the second.
  expect([order(103.6, 103.5), order(103.504, 103.503), order(103.496, 103.494)]).toEqual([false, false, false]);
});

/** Three statements at an interval of 100 ms, by a clock that moves only as is written here: when each was due and sent. */
async function sendThree(heldMs: number, tookMs: number): Promise<{ due: number[]; sent: number[] }> {
  let now = 1_000;
  vi.spyOn(performance, "now").mockImplementation(() => now);
  const target = {
    sql: async (): Promise<Answer> => {
      const sentAt = now + heldMs;
      now = sentAt + tookMs;
      return await Promise.resolve({ ...written(1), sentAt, doneAt: now });
    },
  } as unknown as Target;
  const poll: Context["poll"] = async (ask, _, { everyMs }) => {
    now += everyMs;
    return await ask();
  };
  const send = onSchedule(target, { poll }, { name: "a", role: "user" }, { firstAt: now, everyMs: 100 });
  const done = [await send("1"), await send("2"), await send("3")];
  return { due: done.map(({ dueAt }) => dueAt - 1_000), sent: done.map(({ answer }) => answer.sentAt - 1_000) };
}

test("a schedule waits for the next time, whatever the last statement took", async () => {
  expect(await sendThree(0, 30)).toEqual({ due: [0, 100, 200], sent: [0, 100, 200] });
});

test("a slow server makes statements late, and not the schedule", async () => {
  expect(await sendThree(0, 250)).toEqual({ due: [0, 100, 200], sent: [0, 250, 500] });
});

test("our own pacing moves the schedule", async () => {
  expect(await sendThree(40, 10)).toEqual({ due: [40, 180, 320], sent: [40, 180, 320] });
});
