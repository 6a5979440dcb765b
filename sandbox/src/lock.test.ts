import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { releaseLock, takeLock } from "./lock.ts";

test.each([
  ["one that nobody holds", undefined, { takenOver: false }],
  ["that of a dead process", "999999999", { takenOver: true }],
  ["an empty one, as a loss of power leaves it", "", { takenOver: true }],
  ["that of a living process", String(process.ppid), { problem: `in use by process ${process.ppid}` }],
])("a lock is taken: %s", (_, content, expected) => {
  const folder = mkdtempSync(path.join(tmpdir(), "kalam-sandbox-lock-"));
  if (content !== undefined) writeFileSync(path.join(folder, "kalam-sandbox.lock"), content);
  expect(takeLock(folder)).toEqual(expected);
  expect(readdirSync(folder)).toEqual(["kalam-sandbox.lock"]);
  releaseLock(folder);
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});
