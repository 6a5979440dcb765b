import { expect, test } from "vitest";
import { randomFrom } from "./random.ts";

test("random numbers lie from 0 to below 1, and spread", () => {
  const random = randomFrom("seed");
  const numbers = Array.from({ length: 1000 }, random);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...numbers)).toBeLessThan(1);
  expect(new Set(numbers).size).toBe(1000);
  expect(numbers.reduce((sum, one) => sum + one, 0) / 1000).toBeCloseTo(0.5, 1);
  expect(randomFrom("seed")()).toBe(numbers[0]);
  expect(randomFrom("sees")()).not.toBe(numbers[0]);
});
