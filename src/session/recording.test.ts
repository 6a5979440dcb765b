import { expect, test } from "vitest";
import { Recording, type Exchange } from "./recording.ts";

const exchange = { method: "GET", path: "/", outcome: "200", sentAt: performance.now(), doneAt: performance.now() };

test("an exchange is kept under its number, with times since the beginning", () => {
  const recording = new Recording();
  const number = recording.next();
  const began = performance.now();
  recording.note({
    ...exchange,
    number,
    as: "alice",
    text: "SELECT 1",
    params: "[1]",
    sentAt: began,
    doneAt: began + 12.34,
  });
  expect(recording.get(number)).toEqual({
    number: 1,
    method: "GET",
    path: "/",
    outcome: "200",
    as: "alice",
    text: "SELECT 1",
    params: "[1]",
    at: expect.any(Number) as number,
    tookMs: 12.3,
  });
  expect(recording.get(number)?.at).toBeLessThan(1000);
  expect(recording.get(2)).toBeUndefined();
});

test("every request counts, whether anything came of it or not", () => {
  const recording = new Recording();
  expect([recording.next(), recording.next(), recording.next()]).toEqual([1, 2, 3]);
  expect(recording.count).toBe(3);
});

test("who listens is told of each exchange as it is noted", () => {
  const heard: Exchange[] = [];
  const recording = new Recording((noted) => heard.push(noted));
  recording.note({ ...exchange, number: recording.next() });
  expect(heard).toEqual([recording.get(1)]);
});

test("a long text is cut and says how long it was", () => {
  const recording = new Recording();
  recording.note({
    ...exchange,
    number: 1,
    text: "x".repeat(2000),
    params: "y".repeat(2001),
    outcome: "z".repeat(2001),
  });
  expect(recording.get(1)?.text).toBe("x".repeat(2000));
  expect(recording.get(1)?.params).toBe(`${"y".repeat(2000)}… (2001 characters)`);
  expect(recording.get(1)?.outcome).toBe(`${"z".repeat(2000)}… (2001 characters)`);
});

test("the oldest are forgotten, so that a long run does not fill the memory", () => {
  const recording = new Recording();
  for (let sent = 0; sent < 5010; sent += 1) recording.note({ ...exchange, number: recording.next() });
  expect(recording.get(10)).toBeUndefined();
  expect(recording.get(11)).toBeDefined();
  expect(recording.get(5010)).toBeDefined();
  expect(recording.count).toBe(5010);
});
