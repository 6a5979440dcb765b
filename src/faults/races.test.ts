import { expect, test } from "vitest";
import type { Fault } from "../proof.ts";
import type { RawAnswer, Wire } from "../wire/wire.ts";
import {
  acknowledgeEarly,
  acknowledgeLosers,
  lagBehind,
  loseWrites,
  readThenWrite,
  refuseWhatWasDone,
  repeatWrites,
  sometimesInstead,
} from "./races.ts";

const refusal = { status: 400, body: { status: "error", results: [], took: 1, error: { code: "X", message: "no" } } };
const success = (cell: number) => ({
  status: 200,
  body: { status: "success", results: [{ row_count: 1, rows: [[cell]] }], took: 1 },
});

/** A server that records what reaches it, behind the fault. */
function behind(
  fault: Fault,
  says: (sql: string, at: number) => { status: number; body: unknown } = (_, at) => success(at),
) {
  const reached: string[] = [];
  let fired = 0;
  const wire: Wire = {
    async exchange({ body }) {
      const { sql } = JSON.parse(String(body)) as { sql: string };
      reached.push(sql);
      const said = says(sql, reached.length);
      const answer: RawAnswer = {
        kind: "answered",
        status: said.status,
        headers: {},
        body: new TextEncoder().encode(JSON.stringify(said.body)),
        sentAt: 1,
        doneAt: 2,
      };
      return await Promise.resolve(answer);
    },
  };
  const faulty = fault.wrap(wire, () => {
    fired += 1;
  });
  /** Status and the first cell or row count of the answer. */
  const send = async (sql: string): Promise<unknown[]> => {
    const request = { method: "POST", path: "/v1/api/sql", headers: {}, body: JSON.stringify({ sql }), timeoutMs: 50 };
    const answer = await faulty.exchange(request);
    if (answer.kind === "broken") return [answer.because];
    const { results } = JSON.parse(new TextDecoder().decode(answer.body)) as {
      results: readonly { row_count: number; rows?: readonly (readonly unknown[])[] }[];
    };
    return [answer.status, results[0]?.rows?.[0]?.[0] ?? results[0]?.row_count];
  };
  return { reached, send, fired: () => fired };
}

const all = async (send: (sql: string) => Promise<unknown[]>, ...list: string[]): Promise<unknown[][]> => {
  const answers: unknown[][] = [];
  for (const sql of list) answers.push(await send(sql));
  return answers;
};

test("every second write is acknowledged and does not reach the server", async () => {
  const { reached, send, fired } = behind(loseWrites("lose", /^W/, 2));
  expect(await all(send, "W1", "R", "W2", "W3", "W4")).toEqual([
    [200, 1],
    [200, 2],
    [200, 1],
    [200, 3],
    [200, 1],
  ]);
  expect([reached, fired()]).toEqual([["W1", "R", "W3"], 2]);
});

test("an early acknowledgement comes before the write, which follows", async () => {
  const { reached, send } = behind(acknowledgeEarly("early", /^W/, 1, 20));
  expect(await send("W1")).toEqual([200, 1]);
  expect(reached).toEqual([]);
  await expect.poll(() => reached).toEqual(["W1"]);
});

test("a write that was done is refused, once in two", async () => {
  const { reached, send } = behind(refuseWhatWasDone("refuse", /^W/, 2));
  expect((await all(send, "W1", "W2", "W3")).map(([status]) => status)).toEqual([200, 400, 200]);
  expect(reached).toEqual(["W1", "W2", "W3"]);
});

test("a write is sent again, once in two", async () => {
  const { reached, send } = behind(repeatWrites("twice", /^W/, 2));
  expect(await all(send, "W1", "W2")).toEqual([
    [200, 1],
    [200, 3],
  ]);
  expect(reached).toEqual(["W1", "W2", "W2"]);
});

test("only refusals count, and every second one becomes an acknowledgement", async () => {
  const { send, fired } = behind(acknowledgeLosers("two", /^W/, 2), (sql) =>
    sql.endsWith("no") ? refusal : success(7),
  );
  expect((await all(send, "W no", "W", "R no", "W no", "W no")).map(([status]) => status)).toEqual([
    400, 200, 400, 200, 400,
  ]);
  expect(fired()).toBe(1);
});

test("another statement runs instead, once in two", async () => {
  const { reached, send } = behind(sometimesInstead("other", /^R/, 2, (sql) => `${sql} of another`));
  await all(send, "R1", "R2", "R3");
  expect(reached).toEqual(["R1", "R2 of another", "R3"]);
});

test("a replica that lags returns the first answer until the lag is over, for each query apart", async () => {
  const { send } = behind(lagBehind("lag", /^R/, 60_000));
  expect(await all(send, "R1", "R1", "R2", "R1", "R2", "W")).toEqual([1, 1, 3, 1, 3, 6].map((cell) => [200, cell]));
  const brief = behind(lagBehind("lag", /^R/, 0));
  expect(await all(brief.send, "R1", "R1", "R1")).toEqual([
    [200, 1],
    [200, 1],
    [200, 2],
  ]);
});

test("a refusal is no state of the replica", async () => {
  const { send } = behind(lagBehind("lag", /^R/, 60_000), (_, at) => (at === 1 ? refusal : success(at)));
  expect((await all(send, "R", "R", "R")).map(([status, cell]) => [status, cell])).toEqual([
    [400, undefined],
    [200, 2],
    [200, 2],
  ]);
});

test("an increment reads first and writes what it has computed", async () => {
  const fault = readThenWrite("race", /^UPDATE/, {
    read: () => "SELECT n",
    write: (_, value) => `UPDATE to ${value + 1}`,
  });
  const { reached, send } = behind(fault, (sql) => (sql === "SELECT n" ? success(41) : success(0)));
  expect(await send("UPDATE n = n + 1")).toEqual([200, 1]);
  expect(reached).toEqual(["SELECT n", "UPDATE to 42"]);
  const failing = behind(fault, (sql) => (sql === "SELECT n" ? success(41) : refusal));
  expect((await failing.send("UPDATE n = n + 1"))[0]).toBe(400);
});
