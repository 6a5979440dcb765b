import { existsSync, realpathSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { ownDisk } from "./disk.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("folders are made, copied, listed, changed and removed, and each is recorded", () => {
  const made: string[] = [];
  const gone: string[] = [];
  const disk = ownDisk({ made: (folder) => made.push(folder), gone: (folder) => gone.push(folder) });
  const folder = disk.newFolder();
  expect(path.dirname(folder)).toBe(realpathSync(made[0] ?? ""));
  writeFileSync(path.join(folder, "a"), "first");
  const copy = disk.copyOf(folder);
  disk.write(copy, "a", new TextEncoder().encode("second"));
  expect([text(disk.read(folder, "a")), text(disk.read(copy, "a"))]).toEqual(["first", "second"]);
  expect(disk.files(copy)).toEqual(["a"]);
  disk.write(folder, "b", new Uint8Array());
  disk.restore(folder, copy);
  expect([disk.files(folder), text(disk.read(folder, "a"))]).toEqual([["a"], "second"]);
  disk.remove(copy, "a");
  expect(disk.files(copy)).toEqual([]);
  disk.write(copy, "x/y/z", new Uint8Array());
  disk.makeFolder(copy, "p/q");
  expect([disk.files(copy), statSync(path.join(copy, "p/q")).isDirectory()]).toEqual([["x/y/z"], true]);
  disk.remove(copy, "x");
  expect(disk.files(copy)).toEqual([]);
  disk.remove(copy);
  expect([existsSync(copy), gone]).toEqual([false, [made[1]]]);
  disk.removeAll();
  expect([existsSync(folder), gone]).toEqual([false, [made[1], made[0]]]);
});

test("nothing outside of them is touched", () => {
  const disk = ownDisk({ made: () => undefined, gone: () => undefined });
  const folder = disk.newFolder();
  const outside = "is not in a folder that this run made";
  expect(() => disk.files("/etc")).toThrow(outside);
  expect(() => disk.copyOf("/etc")).toThrow(outside);
  expect(() => disk.restore("/etc", folder)).toThrow(outside);
  expect(() => disk.restore(folder, "/etc")).toThrow(outside);
  expect(disk.files(folder)).toEqual([]);
  expect(() => disk.remove(path.dirname(folder))).toThrow(outside);
  expect(() => disk.read(folder, "../../../etc/hostname")).toThrow(outside);
  expect(() => disk.write(folder, "../outside", new Uint8Array())).toThrow(outside);
  expect(() => disk.write(folder, "/etc/hostname", new Uint8Array())).toThrow(outside);
  expect(() => disk.makeFolder(folder, "../outside")).toThrow(outside);
  disk.removeAll();
  expect(() => disk.files(folder)).toThrow(outside);
});
