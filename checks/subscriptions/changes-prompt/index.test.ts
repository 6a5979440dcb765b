import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { soundStream } from "../stream/evidence.ts";
import { changesPrompt } from "./index.ts";

test("the percentiles are those of the delays from when a write was due", () => {
  const sound = soundStream(400);
  // The n-th event takes n ms.
  const growing = { ...sound, delivered: sound.delivered.map((change, n) => ({ ...change, at: 2 * n })) };
  expect(judged(changesPrompt, growing)).toEqual([
    "pass: p50 199 ms, p99 395 ms over 400 changes; 400 of 400 acknowledged changes were delivered",
  ]);
});
