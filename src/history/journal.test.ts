import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openJournal } from "./journal.ts";

test("each entry is on disk before the next statement, and the folder is recorded before it is made and after it is removed", () => {
  const log: string[] = [];
  const journal = openJournal({
    made: (folder) => log.push(`made ${existsSync(folder)}`),
    gone: (folder) => log.push(`gone ${existsSync(folder)}`),
  });
  journal.note({ key: "1", outcome: "ok" });
  expect(readFileSync(journal.file, "utf8")).toBe('{"key":"1","outcome":"ok"}\n');
  journal.note([2]);
  expect(readFileSync(journal.file, "utf8")).toBe('{"key":"1","outcome":"ok"}\n[2]\n');
  expect(log).toEqual(["made false"]);
  journal.close();
  journal.note("too late");
  expect(log).toEqual(["made false", "gone false"]);
  expect(existsSync(path.dirname(journal.file))).toBe(false);
});
