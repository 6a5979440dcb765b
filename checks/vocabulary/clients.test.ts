import { expect, test } from "vitest";
import { overlapOf } from "../../src/history/overlap.ts";
import type { Answer, Target } from "../../src/server/target.ts";
import { connectAll, countOutcomes, exchangesOf, makeWorkload, readWhile, sampleOf, together } from "./clients.ts";

const accounts = ["a", "b"].map((name) => ({ name, role: "service" }) as const);

/** A server that answers every request when the gate opens, and counts requests by account. */
function gated(kindOf: (sql: string) => "ok" | "unsure" = () => "ok") {
  let exchange = 0;
  const waiting: (() => void)[] = [];
  const sent: string[] = [];
  const target: Pick<Target, "sql"> = {
    async sql(as, sql) {
      exchange += 1;
      const at = { exchange, sentAt: exchange };
      sent.push(`${as?.name} ${sql}`);
      await new Promise<void>((resolve) => waiting.push(resolve));
      const times = { ...at, doneAt: 100 + exchange };
      const result = { columns: [], rows: [], rowCount: 1 };
      return kindOf(sql) === "ok"
        ? { kind: "ok", status: 200, results: [result], tookMs: 1, ...times }
        : ({ kind: "unsure", because: "timeout", message: "no answer", ...times } satisfies Answer);
    },
  };
  const open = (): number => waiting.splice(0).map((resolve) => resolve()).length;
  return { target: target as Target, open, sent };
}

const row = (key: string) => ({ kind: "insert", key, values: { v: key } }) as const;
const settle = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

test("clients take turns with the accounts and all have a request in flight at once", async () => {
  const { target, open, sent } = gated();
  const { clients, history } = makeWorkload(target, accounts, 5, 10);
  const work = together(clients, async (client, at) => await client.write(`INSERT ${at}`, [row(String(at))]));
  await settle();
  expect(open()).toBe(5);
  await work;
  expect(sent).toEqual(["a INSERT 0", "b INSERT 1", "a INSERT 2", "b INSERT 3", "a INSERT 4"]);
  expect(history().map(({ client, key }) => [client, key])).toEqual([0, 1, 2, 3, 4].map((n) => [10 + n, String(n)]));
  expect(overlapOf(history()).requests).toBe(5);
});

test("the history is in the order of the requests and has each outcome", async () => {
  const { target, open } = gated((sql) => (sql === "b" ? "unsure" : "ok"));
  const [one, two] = [makeWorkload(target, accounts), makeWorkload(target, accounts, 1, 2)];
  const sent = [
    one.clients[0]?.write("b", [row("1"), row("2")]),
    one.clients[1]?.read("c"),
    two.clients[0]?.read("d", "4"),
  ];
  open();
  await Promise.all(sent.map(async (answer) => await answer));
  expect(one.history().map(({ statement, outcome, key }) => [statement, outcome, key])).toEqual([
    [1, "unsure", "1"],
    [1, "unsure", "2"],
    [2, "unsure", null],
  ]);
  expect(two.history()).toMatchObject([{ client: 2, key: "4", kind: "read" }]);
  expect(countOutcomes(one.history())).toEqual({ ok: 0, refused: 0, unsure: 3 });
  expect(exchangesOf(one.history())).toEqual([1, 2]);
  expect(sampleOf([1, 2, 3, 4, 5, 6])).toEqual([1, 2, 3, 4, 5]);
});

test("connections are opened by a request of each client that is not in the history", async () => {
  const { target, open, sent } = gated();
  const { clients, history } = makeWorkload(target, accounts, 3);
  const ready = connectAll(target, clients);
  await settle();
  expect(open()).toBe(3);
  await ready;
  expect([sent.length, history()]).toEqual([3, []]);
});

test("readers read until the work has ended, and at least once", async () => {
  const { clients } = makeWorkload(gated().target, accounts);
  const turns: number[] = [];
  let end = (): void => undefined;
  const work = new Promise<void>((resolve) => {
    end = resolve;
  });
  await readWhile(work, clients.slice(1), 100, async (_, turn) => {
    turns.push(turn);
    if (turn === 6) end();
    await settle();
  });
  expect(turns).toEqual([0, 1, 2, 3, 4, 5, 6]);
  const read: number[] = [];
  await readWhile(Promise.resolve(), clients, 3, async ({ number }) => void (await Promise.resolve(read.push(number))));
  expect(read).toEqual([0, 1]);
  const stopped: number[] = [];
  await readWhile(new Promise((resolve) => setTimeout(resolve, 20)), clients.slice(0, 1), 50, async (_, turn) => {
    stopped.push(turn);
    return await Promise.resolve(turn < 2);
  });
  expect(stopped).toEqual([0, 1, 2]);
  const failed = readWhile(Promise.reject(new Error("over")), clients, 100, settle);
  await expect(failed).rejects.toThrow("over");
});

test("readers stop at their number of turns, and a workload without accounts is an error", async () => {
  const turns: number[] = [];
  await readWhile(
    new Promise((resolve) => setTimeout(resolve, 50)),
    makeWorkload(gated().target, accounts, 1).clients,
    4,
    async (_, turn) => {
      turns.push(turn);
      await settle();
    },
  );
  expect(turns).toEqual([0, 1, 2, 3]);
  expect(() => makeWorkload(gated().target, [], 1)).toThrow(/needs an account/);
});
