import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { idleStaysAlive } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof idleStaysAlive.judge>[0];
const sound = proof.holds[0] as Seen;

test.for([
  // The age, the server's own time-out, how it ended.
  [30_000, 60_000, "1006", "cutInBetween"],
  [61_000, 120_000, "1006", "cutInBetween"],
  [60_000, 60_000, "1006", "droppedIdle"],
  [20_000, 60_000, "1006", "cutInBetween"],
  [19_999, 60_000, "1006", "droppedIdle"],
  [47_999, 60_000, "1006", "cutInBetween"],
  [48_000, 60_000, "1006", "droppedIdle"],
  [5_000, 60_000, "1006", "droppedIdle"],
  [30_000, 60_000, "1000 Heartbeat timeout", "droppedIdle"],
  [10_500, 10_000, "1006", "droppedIdle"],
] as const)("%i ms with a time-out of %i ms and %s is %s", ([lostAfterMs, timeoutMs, how, name]) => {
  const verdict = idleStaysAlive.judge(
    { ...sound, timeoutMs, alive: { arrived: false, lostAfterMs, how, single: false } },
    idleStaysAlive.limits,
  );
  expect(verdict.kind === "fail" ? verdict.found.map((one) => one.name) : verdict).toEqual([name]);
});

test.each([
  // When the silent one ended, and with what code; the server's own time-out is ten seconds.
  [11_000, 1000, "pass"],
  [3_000, 1000, "pass"],
  [11_000, 1006, "pass"],
  [8_000, 1006, "pass"],
  [7_999, 1006, "unknown"],
  [3_000, 1006, "unknown"],
])("without pings, closed after %i ms with %i: %s", (afterMs, code, wanted) => {
  const said = judged(idleStaysAlive, { ...sound, silent: { afterMs, code, reason: "" } });
  expect(said).toEqual([expect.stringMatching(new RegExp(`^${wanted}: `))]);
});

test("a row that did not arrive says nothing, however the silent one ended", () => {
  const said = judged(idleStaysAlive, { ...sound, alive: { ...sound.alive, arrived: false } });
  expect(said).toEqual([expect.stringMatching(/^unknown: the row written afterwards/)]);
});
