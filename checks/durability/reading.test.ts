import { expect, test } from "vitest";
import type { Answer, Target } from "../../src/server/target.ts";
import { asRead, atLeast, readUntil, readWhole } from "./reading.ts";

const at = { exchange: 7, sentAt: 1, doneAt: 2 };
const page = (...ids: readonly string[]): Answer => ({
  kind: "ok",
  status: 200,
  results: [
    {
      columns: ["id", "mark"].map((name) => ({ name, type: "Text", flags: [] })),
      rows: ids.map((id) => [id, `m${id}`]),
      rowCount: ids.length,
    },
  ],
  tookMs: 1,
  ...at,
});
const silent: Answer = { kind: "unsure", because: "timeout", message: "no answer", ...at };
const refused = (cause: "missing" | "permission"): Answer => ({
  kind: "refused",
  status: 400,
  code: "X",
  message: "no",
  cause,
  ...at,
});
const none: Answer = { kind: "ok", status: 200, results: [{ columns: [], rows: [], rowCount: 0 }], tookMs: 1, ...at };
const account = { name: "op", role: "dba" } as never;

/** Reads a table whose pages are answered in this way; the last one again and again. */
function served(...answers: readonly Answer[]) {
  const asked: string[] = [];
  const sql = async (_: unknown, text: string): Promise<Answer> => {
    if (text.startsWith("SELECT 1 AS")) return page();
    const answer = answers[Math.min(asked.push(text), answers.length) - 1] ?? silent;
    return await Promise.resolve({ ...answer, exchange: asked.length });
  };
  return { asked, target: { sql } as unknown as Target };
}
const read = async (...answers: readonly Answer[]) => {
  const { asked, target } = served(...answers);
  const { rows, ...reading } = await readWhole(target, account, "t", ["id", "mark"]);
  return { ids: rows?.map(({ id }) => id) ?? null, ...reading, asked: asked.length };
};

test("a table is read by key pages until one is empty", async () => {
  const { asked, target } = served(page("1", "2"), page("2", "10"), page());
  const { rows, exchange } = await readWhole(target, account, "t", ["id", "mark"]);
  expect(rows).toEqual(["1", "2", "2", "10"].map((id) => ({ id, mark: `m${id}` })));
  expect(exchange).toBe(3);
  expect(asked).toEqual([
    "SELECT id, mark FROM t ORDER BY id LIMIT 200",
    "SELECT id, mark FROM t WHERE id > 2 ORDER BY id LIMIT 200",
    "SELECT id, mark FROM t WHERE id > 10 ORDER BY id LIMIT 200",
  ]);
});

test.each([
  ["two silences", [silent, silent, page("1"), page()], { ids: ["1"], why: null, cause: null, asked: 4 }],
  ["three silences", [silent, silent, silent, page("1")], { ids: null, why: "t: no answer", cause: null, asked: 3 }],
  ["a silence later", [page("1"), silent], { ids: null, why: "t: no answer", cause: null, asked: 4 }],
  ["a table that is gone", [refused("missing")], { ids: null, why: "t: no", cause: "missing", asked: 1 }],
  ["another refusal", [page("1"), refused("permission")], { ids: null, why: "t: no", cause: "permission", asked: 2 }],
  ["no columns", [none], { ids: null, why: "t: the answer has no columns", cause: null, asked: 1 }],
  ["keys that go back", [page("5", "4")], { ids: null, why: "t: a page shows the key 4 after 5", asked: 1 }],
  [
    "a page that begins before",
    [page("5"), page("3")],
    { ids: null, why: "t: a page shows the key 3 after 5", asked: 2 },
  ],
  ["a key that is none", [page("x")], { ids: null, why: "t: a page shows the key x after undefined" }],
  ["a negative key", [page("-5", "3"), page()], { ids: ["-5", "3"], why: null }],
  ["no rows", [page()], { ids: [], why: null, cause: null, asked: 1 }],
])("%s", async (_, answers, expected) => {
  expect(await read(...answers)).toMatchObject(expected);
});

test("a table that never ends is given up", async () => {
  const many = Array.from({ length: 30_000 }, () => "7");
  expect(await read(page(...many), page(...many))).toMatchObject({
    ids: null,
    why: "t: more than 50000 rows",
    asked: 2,
  });
  expect(await read(page(...many), page(...many.slice(10_000)), page())).toMatchObject({ why: null, asked: 3 });
});

test("it is read again until it is whole", async () => {
  const until = async (count: number) => {
    const { asked, target } = served(silent, silent, silent, page("1"), page(), page("1", "2"), page());
    const poll = async <T>(ask: () => Promise<T>, done: (answer: T) => boolean): Promise<T> => {
      let answer = await ask();
      for (let tries = 1; tries < 3 && !done(answer); tries += 1) answer = await ask();
      return answer;
    };
    const { rows } = await readUntil(
      target,
      { poll },
      { as: account, table: "t", columns: ["id"], isWhole: atLeast(count) },
    );
    return [rows?.length, asked.length];
  };
  expect(await until(1)).toEqual([1, 5]);
  expect(await until(2)).toEqual([2, 7]);
  expect(await until(0)).toEqual([1, 5]);
});

test("a reading is an answered read of all rows, or one in doubt", () => {
  const times = { from: 3, to: 5 };
  const expected = { kind: "read", key: null, client: -1, statement: 9, dueAt: 3, invokedAt: 3, returnedAt: 5 };
  expect(asRead({ rows: [], exchange: 9 }, times)).toEqual({ ...expected, rows: [], outcome: "ok" });
  expect(asRead({ rows: null, exchange: 9 }, times)).toEqual({ ...expected, rows: null, outcome: "unsure" });
});
