import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, stateFolder } from "./folders.ts";

let place = "";
beforeAll(() => {
  place = mkdtempSync(path.join(tmpdir(), "folders-"));
  writeFileSync(path.join(place, "file"), "");
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

test("missing folders are made, with their mode, and existing ones are left alone", () => {
  const folder = path.join(place, "a", "b", "c");
  makeFolder(folder, { mode: 0o700 });
  makeFolder(folder);
  expect([existsSync(folder), statSync(folder).mode & 0o777]).toEqual([true, 0o700]);
});

test("what cannot be made is an error", () => {
  expect(() => makeFolder(path.join(place, "file"))).toThrow("EEXIST");
  expect(() => makeFolder(path.join(place, "file", "below"))).toThrow("ENOTDIR");
  expect(() => makeFolder("/proc/no/such/folder")).toThrow("ENOENT");
});

test("the user's state folder", () => {
  expect(stateFolder({ XDG_STATE_HOME: "/state" })).toBe("/state");
  expect(stateFolder({ XDG_STATE_HOME: "" })).toMatch(/\.local\/state$|^\/tmp/);
});
