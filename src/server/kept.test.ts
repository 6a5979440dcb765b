import { expect, test } from "vitest";
import { keeper, keptMax } from "./kept.ts";

test("what all observations keep counts together, until each is over", () => {
  const kept = { bytes: 0 };
  const [one, other] = [new AbortController(), new AbortController()];
  const [keepOne, keepOther] = [keeper(one.signal, kept), keeper(other.signal, kept)];
  expect(keepOne(keptMax - 10)).toBe(true);
  expect(keepOther(10)).toBe(true);
  expect(keepOther(1)).toBe(false);
  one.abort();
  expect(kept.bytes).toBe(11);
  expect(keepOne(1)).toBe(false);
  expect(keepOther(1)).toBe(true);
  other.abort();
  expect(kept.bytes).toBe(0);
});
