import { expect, test } from "vitest";
import type { Operation } from "../../src/history/history.ts";
import { sentBy } from "../concurrency/evidence.ts";
import { crashRounds, crashTimes, inFlightAt, whyNoCrash } from "./crash.ts";
import { failed, killedAt, notRestarted } from "./evidence.ts";

const sent = (statement: number, invokedAt: number, returnedAt: number): Operation => ({
  ...sentBy(0, statement, invokedAt, returnedAt - invokedAt, "ok"),
  kind: "insert",
  key: "1",
  values: {},
});

test.each([
  ["around the kill", 150, 250, 1],
  ["sent just then", 200, 250, 1],
  ["answered just then", 150, 200, 1],
  ["answered before", 150, 199, 0],
  ["sent afterwards", 201, 250, 0],
])("a write %s", (_, from, to, count) => {
  expect(inFlightAt(killedAt(200), [sent(1, from, to)])).toBe(count);
});

test("a statement of several rows is one", () => {
  expect(inFlightAt(killedAt(200), [sent(1, 150, 250), sent(1, 150, 250), sent(2, 150, 250)])).toBe(2);
});

test("one round with a write in flight is enough, and a restart that was none is too many", () => {
  const round = (inFlight: number, crash = killedAt(200)) => ({ crash, inFlight });
  expect(whyNoCrash([round(0), round(1)])).toBeUndefined();
  expect(whyNoCrash([round(0), round(0)])).toBe("in none of 2 rounds was a write in flight when the server was killed");
  expect(whyNoCrash([round(1), round(1, killedAt(200, notRestarted))])).toMatch(
    /^nothing shows that the server was restarted/,
  );
});

test("rounds end with one after which the server did not start", async () => {
  const restarts = [killedAt(200), killedAt(200), killedAt(200, failed), killedAt(200)];
  const size = ({ standard }: { standard: number }) => standard + 1;
  const made: number[] = [];
  const rounds = await crashRounds({ size }, async (round) => {
    made.push(round);
    return await Promise.resolve({ crash: restarts[round - 1] ?? killedAt(200) });
  });
  expect(made).toEqual([1, 2, 3]);
  expect(rounds).toHaveLength(3);
});

test("the time line is that of the slowest start", () => {
  const slow = { ...killedAt(200), restart: { ...killedAt(200).restart, answeredMs: 900 } };
  const times = crashTimes([
    { crash: killedAt(200), readMs: 5 },
    { crash: slow, readMs: 30 },
  ]);
  expect(times.map(({ what, ms }) => `${what} ${ms}`)).toEqual([
    "writes 110",
    "kill 80",
    "health 300",
    "SQL 420",
    "first answer 900",
    "all there 30",
  ]);
  expect(crashTimes([])).toEqual([]);
});
