import { expect, test } from "vitest";
import type { Disk } from "../../../src/wire/control.ts";
import { damages, filesWith, manifestOf, segmentsOf } from "./damages.ts";

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString();

/** A folder in memory. */
function diskOf(files: Readonly<Record<string, string>>): { readonly disk: Disk; now(): Record<string, string> } {
  const all = new Map(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]));
  const never = (): never => {
    throw new Error("no folders here");
  };
  const disk: Disk = {
    newFolder: never,
    copyOf: never,
    restore: never,
    files: () => [...all.keys()].toSorted(),
    read: (_, file) => all.get(file) ?? never(),
    write: (_, file, bytes) => void all.set(file, Buffer.from(bytes)),
    makeFolder: never,
    remove: (_, file) => void all.delete(file ?? ""),
  };
  return { disk, now: () => Object.fromEntries([...all].map(([name, bytes]) => [name, text(bytes) ?? ""])) };
}

const files = {
  "storage/ns/hurt/batch-0.parquet": "PAR1 zero zero zero",
  "storage/ns/hurt/batch-1.parquet": "PAR1 one one one on",
  "storage/ns/hurt/batch-2.parquet": "PAR1 two two two tw",
  "storage/ns/hurt/manifest.json": '{"segments":[0,1,2]}',
  "storage/ns/sound/batch-0.parquet": "PAR1 other",
  "rocksdb/000004.log": "a marked row, and the marked row again",
  "rocksdb/000009.sst": "a marked row",
};

/** What of the folder is another afterwards: its content, or null where it is gone. */
function after(name: string): Record<string, string | null> {
  const { disk, now } = diskOf(files);
  const layout = {
    segments: segmentsOf(disk, "", "hurt"),
    manifest: manifestOf(disk, "", "hurt"),
    olderManifest: Buffer.from('{"segments":[0,1]}'),
    hot: filesWith(disk, "", "marked row"),
  };
  expect(damages.find((one) => one.name === name)?.apply(disk, "", layout)).toBeDefined();
  const then = now();
  const names = [...new Set([...Object.keys(files), ...Object.keys(then)])];
  const before: Readonly<Record<string, string>> = files;
  return Object.fromEntries(names.flatMap((file) => (before[file] === then[file] ? [] : [[file, then[file] ?? null]])));
}

test("each damages what it says, and nothing else", () => {
  expect(Object.fromEntries(damages.map(({ name }) => [name, after(name)]))).toEqual({
    "all segments and the manifest deleted": {
      "storage/ns/hurt/batch-0.parquet": null,
      "storage/ns/hurt/batch-1.parquet": null,
      "storage/ns/hurt/batch-2.parquet": null,
      "storage/ns/hurt/manifest.json": null,
    },
    "a segment with one bit flipped": {
      "storage/ns/hurt/batch-1.parquet": expect.stringMatching(/^PAR1[^ ].{14}$|^PAR1!one/) as unknown,
    },
    "a segment deleted": { "storage/ns/hurt/batch-1.parquet": null },
    "a segment cut in half": { "storage/ns/hurt/batch-1.parquet": "PAR1 one " },
    "a segment emptied": { "storage/ns/hurt/batch-1.parquet": "" },
    "a segment replaced by another one": { "storage/ns/hurt/batch-1.parquet": "PAR1 zero zero zero" },
    "a manifest of garbage": { "storage/ns/hurt/manifest.json": "#".repeat(20) },
    "a manifest cut in half": { "storage/ns/hurt/manifest.json": '{"segments' },
    "a manifest deleted": { "storage/ns/hurt/manifest.json": null },
    "the manifest of one flush earlier": { "storage/ns/hurt/manifest.json": '{"segments":[0,1]}' },
    "one segment more, a copy of another": { "storage/ns/hurt/batch-99.parquet": "PAR1 zero zero zero" },
    "an unfinished segment": { "storage/ns/hurt/batch-0.parquet.tmp": "PAR1 zero zero zero" },
    "one bit of an unflushed row flipped": {
      "rocksdb/000004.log": "a larked row, and the larked row again",
      "rocksdb/000009.sst": "a larked row",
    },
    "the file of an unflushed row cut before it": { "rocksdb/000004.log": "a " },
    "the file of an unflushed row deleted": { "rocksdb/000004.log": null },
  });
});

test("where there are no such files, nothing is damaged", () => {
  const { disk, now } = diskOf({ "some/file": "x" });
  const layout = {
    segments: [],
    manifest: undefined,
    olderManifest: undefined,
    hot: filesWith(disk, "", "marked row"),
  };
  expect(damages.map(({ apply }) => apply(disk, "", layout))).toEqual(damages.map(() => undefined));
  expect(now()).toEqual({ "some/file": "x" });
});
