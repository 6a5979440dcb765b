import { spawn } from "node:child_process";
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { traced, whyNoTrace } from "../../../src/control/tracing.ts";
import { traceFile } from "../../../src/wire/control.ts";
import { stepsIn } from "./calls.ts";
import { Replay } from "./replay.ts";

const recorded = readFileSync(new URL("recorded.txt", import.meta.url), "latin1");
const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString("latin1");

/** Lines without thread and time. */
function replayOf(lines: readonly string[], before: Readonly<Record<string, string>> = {}): Replay {
  const replay = new Replay("/d", {
    files: Object.keys(before),
    read: (file) => Buffer.from(before[file] ?? "", "latin1"),
  });
  for (const step of stepsIn(
    lines.map((line) => `${/^\d+ /.test(line) ? line.replace(" ", " 1.0 ") : `1 1.0 ${line}`}\n`).join(""),
  ))
    replay.take(step);
  return replay;
}

/** What is in the folder, and what a loss of power leaves of what is. */
function shown({ onDisk, problem }: Replay, before: Readonly<Record<string, string>> = {}) {
  const { removed, folders, written } = onDisk.differences();
  const left: Record<string, string> = { ...before };
  for (const name of removed) delete left[name];
  for (const [name, bytes] of written) left[name] = text(bytes) ?? "";
  const now = Object.fromEntries(onDisk.names.map((name) => [name, text(onDisk.now(name))]));
  return { now, left, folders, problem };
}

test("a recorded program leaves what it left", () => {
  const replay = new Replay("/data/kept", { files: [], read: () => new Uint8Array() });
  for (const step of stepsIn(recorded)) replay.take(step);
  expect(replay.problem).toBeUndefined();
  const { onDisk } = replay;
  expect(onDisk.names).toEqual(["cp", "dst"]);
  expect(text(onDisk.now("dst"))).toBe("appendchild");
  expect(text(onDisk.now("cp"))?.replaceAll("\0", ".").slice(0, 26)).toBe("t02.......t1........t2....");
  expect(onDisk.now("cp")).toHaveLength(4096);
  expect(Object.fromEntries(onDisk.differences().written.map(([name, bytes]) => [name, bytes.length]))).toEqual({
    cp: 4096,
    // The child wrote after the last sync.
    dst: 6,
  });
  expect(onDisk.differences().folders).toEqual(["sub"]);
  expect(replay.counts).toMatchObject({ writes: expect.any(Number) as unknown });
});

const opened = (flags: string, file = "a", number = 3): string =>
  `openat(AT_FDCWD</>, "/d/${file}", ${flags}, 0666) = ${number}</d/${file}>`;
const write = (data: string, file = "a"): string => `write(3</d/${file}>, "${data}", ${data.length}) = ${data.length}`;
const fsync = "fsync(3</d/a>) = 0";

test.each([
  [
    "what was written and not synced is gone",
    [opened("O_WRONLY|O_CREAT"), write("one"), fsync, write("two")],
    {},
    "one",
  ],
  ["a file that was never synced is empty", [opened("O_WRONLY|O_CREAT"), write("one")], {}, ""],
  ["an overwritten range is as before", [opened("O_RDWR"), write("XY")], { a: "abcd" }, "abcd"],
  ["a synced one is not", [opened("O_RDWR"), write("XY"), "fdatasync(3</d/a>) = 0"], { a: "abcd" }, "XYcd"],
  [
    "a failed sync synced nothing",
    [opened("O_RDWR"), write("XY"), "fsync(3</d/a>) = -1 EIO (error)"],
    { a: "ab" },
    "ab",
  ],
  [
    "what is written while a sync runs is not synced by it",
    [
      opened("O_RDWR"),
      write("XY"),
      "1 fsync(3</d/a> <unfinished ...>",
      `2 ${write("Z")}`,
      "1 <... fsync resumed>) = 0",
    ],
    { a: "abcd" },
    "XYcd",
  ],
  [
    "a sync that never returned synced nothing",
    [opened("O_RDWR"), write("XY"), "fsync(3</d/a>) = ?"],
    { a: "abcd" },
    "abcd",
  ],
  [
    "a file opened with O_DSYNC is synced with each write",
    [opened("O_RDWR|O_DSYNC"), write("XY")],
    { a: "abcd" },
    "XYcd",
  ],
  ["syncfs syncs all", [opened("O_RDWR"), write("XY"), "syncfs(9</>) = 0"], { a: "abcd" }, "XYcd"],
  ["a cut is gone, too", [opened("O_RDWR|O_TRUNC"), write("XY")], { a: "abcd" }, "abcd"],
  [
    "a range that was punched out is zeros once it is synced",
    [opened("O_RDWR"), "fallocate(3</d/a>, FALLOC_FL_KEEP_SIZE|FALLOC_FL_PUNCH_HOLE, 1, 9) = 0", fsync],
    { a: "abc" },
    "a\0\0",
  ],
  [
    "a new name is kept with what was synced",
    [opened("O_RDWR|O_CREAT", "b"), write("new", "b"), "fsync(3</d/b>) = 0", 'rename("/d/b", "/d/a") = 0'],
    {},
    "new",
  ],
  [
    "a new name of a file that was not synced is that of an empty one",
    [opened("O_RDWR|O_CREAT", "b"), write("new", "b"), 'rename("/d/b", "/d/a") = 0'],
    {},
    "",
  ],
  [
    "what takes the place of another file is whole, as ext4 and btrfs see to",
    [opened("O_RDWR|O_CREAT", "b"), write("new", "b"), 'renameat(9</d>, "b", AT_FDCWD</>, "d/a") = 0'],
    { a: "old" },
    "new",
  ],
] as const)("%s", (_, lines, before, left) => {
  expect(shown(replayOf(lines, before), before)).toMatchObject({ left: { a: left }, problem: undefined });
});

test("folders are made, moved and removed with what is in them", () => {
  const before = { "old/x": "1", "gone/y": "2" };
  const replay = replayOf(
    [
      'mkdir("/d/new", 0777) = 0',
      'mkdirat(9</d>, "new/inner", 0777) = 0',
      'rename("/d/old", "/d/new/old") = 0',
      'unlink("/d/gone/y") = 0',
      'rmdir("/d/gone") = 0',
      'mkdir("/elsewhere", 0777) = 0',
    ],
    before,
  );
  expect(shown(replay, before)).toMatchObject({ left: { "new/old/x": "1" }, now: { "new/old/x": "1" } });
  const { removed, folders } = replay.onDisk.differences();
  expect([removed.toSorted(), folders.toSorted()]).toEqual([
    ["gone", "gone/y", "old", "old/x"],
    ["new", "new/inner", "new/old"],
  ]);
});

test.each([
  ["mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3</d/a>, 0) = 0x7f58cfce5000", /through memory/],
  ["io_uring_setup(256, {flags=0}) = 9<anon_inode:[io_uring]>", /io_uring_setup/],
  ["ioctl(3</d/a>, BTRFS_IOC_CLONE or FICLONE, 4</d/b>) = 0", /cloned/],
  ['symlink("a", "/d/b") = 0', /symbolic link/],
  ['renameat2(9</d>, "a", 9</d>, "b", RENAME_EXCHANGE) = 0', /exchanged/],
  ['rename("/e/b", "/d/a") = 0', /into the folder/],
  ['rename("/d/a", "/e/b") = 0', /out of the folder/],
  ['write(3</d/a>, "ab"..., 5) = 5', /too long/],
  ['write(4</d/a>, "ab", 2) = 2', /opening was not seen/],
  ['write(3</d/b>, "ab", 2) = 2', /making was not seen/],
  ["fallocate(3</d/a>, FALLOC_FL_COLLAPSE_RANGE, 0, 4096) = 0", /fallocate/],
  ["copy_file_range(4</e/b>, [0], 3</d/a>, [0], 3, 0) = 3", /copied/],
  [opened("O_RDWR|O_TMPFILE", "#12"), /without a name/],
])("%s cannot be followed", (line, why) => {
  expect(replayOf([opened("O_RDWR"), line], { a: "abc" }).problem).toMatch(why);
});

test.each([
  "mmap(NULL, 4096, PROT_READ, MAP_SHARED, 3</d/a>, 0) = 0x7f58cfce5000",
  "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3</e/a>, 0) = 0x7f58cfce5000",
  "io_uring_setup(256, {flags=0}) = -1 ENOSYS (Function not implemented)",
  'write(1</dev/null>, "ab"..., 5) = 5',
])("%s changes nothing", (line) => {
  expect(shown(replayOf([opened("O_RDWR"), line], { a: "abc" }))).toMatchObject({
    now: { a: "abc" },
    problem: undefined,
  });
});

test("a file is uncertain while a call on it has not returned", () => {
  const replay = replayOf([opened("O_RDWR"), '2 pwrite64(3</d/a>, "x", 1, 0 <unfinished ...>'], { a: "abc", b: "" });
  expect([replay.isUncertain("a"), replay.isUncertain("b")]).toEqual([true, false]);
});

const names = fc.constantFrom("a", "b", "c");
const change = fc.oneof(
  fc.record({ is: fc.constant("write" as const), data: fc.uint8Array({ minLength: 1, maxLength: 9 }), at: fc.nat(20) }),
  fc.record({ is: fc.constant("append" as const), data: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
  fc.record({ is: fc.constant("cut" as const), size: fc.nat(30) }),
  fc.record({ is: fc.constant("sync" as const) }),
  fc.record({ is: fc.constant("rename" as const), to: names }),
  fc.record({ is: fc.constant("remove" as const) }),
);

/** As strace prints it. */
const literal = (data: Uint8Array): string =>
  `"${[...data].map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("")}"`;

test("whatever is done, a replay of all of it gives the files, and what was synced last is left", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-replay-"));
  fc.assert(
    fc.property(fc.array(fc.tuple(names, change), { maxLength: 40 }), (changes) => {
      for (const name of readdirSync(folder)) rmSync(path.join(folder, name));
      const lines: string[] = [];
      /** Of each name, what was synced last; a file that took the place of another counts as synced. */
      const synced = new Map<string, string>();
      const content = (name: string): string => readFileSync(path.join(folder, name), "latin1");
      for (const [name, one] of changes) {
        const place = path.join(folder, name);
        const there = readdirSync(folder).includes(name);
        if (!there && (one.is === "rename" || one.is === "remove")) continue;
        if (one.is === "remove") {
          unlinkSync(place);
          synced.delete(name);
          lines.push(`unlink("/d/${name}") = 0`);
        } else if (one.is === "rename") {
          if (one.to === name) continue;
          if (readdirSync(folder).includes(one.to)) synced.set(name, content(name));
          renameSync(place, path.join(folder, one.to));
          const left = synced.get(name);
          synced.delete(name);
          synced.set(one.to, left ?? "");
          lines.push(`rename("/d/${name}", "/d/${one.to}") = 0`);
        } else {
          const appends = one.is === "append";
          const open = openSync(place, appends ? "a" : there ? "r+" : "w");
          lines.push(opened(`O_RDWR|O_CREAT${appends ? "|O_APPEND" : there ? "" : "|O_TRUNC"}`, name));
          const of = `3</d/${name}>`;
          if (one.is === "write") {
            writeSync(open, one.data, 0, one.data.length, one.at);
            lines.push(`pwrite64(${of}, ${literal(one.data)}, ${one.data.length}, ${one.at}) = ${one.data.length}`);
          } else if (one.is === "append") {
            writeSync(open, one.data);
            lines.push(`write(${of}, ${literal(one.data)}, ${one.data.length}) = ${one.data.length}`);
          } else if (one.is === "cut") {
            ftruncateSync(open, one.size);
            lines.push(`ftruncate(${of}, ${one.size}) = 0`);
          } else {
            fsyncSync(open);
            synced.set(name, content(name));
            lines.push(`fsync(${of}) = 0`);
          }
          closeSync(open);
          lines.push(`close(${of}) = 0`);
        }
      }
      const { now, left, problem } = shown(replayOf(lines));
      expect(problem).toBeUndefined();
      const files = readdirSync(folder).toSorted();
      expect(now).toEqual(Object.fromEntries(files.map((name) => [name, content(name)])));
      expect(left).toEqual(Object.fromEntries(files.map((name) => [name, synced.get(name) ?? ""])));
    }),
    { numRuns: 100 },
  );
  rmSync(folder, { recursive: true });
});

const program = `
const fs = require("node:fs");
fs.writeFileSync("new", "not synced");
const file = fs.openSync("log", "r+");
fs.writeSync(file, "XY", 1);
fs.fsyncSync(file);
fs.writeSync(file, "not synced", 4);
fs.renameSync(process.cwd() + "/old", process.cwd() + "/older");
process.kill(process.pid, "SIGKILL");
`;

test(
  "what strace records of a program that was killed is what the kill left",
  { timeout: 60_000 },
  async ({ skip }) => {
    const why = whyNoTrace();
    if (why !== undefined) skip(why);
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "kalam-ready-traced-")));
    const trace = mkdtempSync(path.join(tmpdir(), "kalam-ready-trace-"));
    for (const name of ["log", "old"]) writeFileSync(path.join(folder, name), "before");
    const [command, ...args] = traced(trace, [process.execPath, "-e", program]);
    const child = spawn(command, args, { cwd: folder, stdio: "ignore" });
    await new Promise((resolve) => child.once("close", resolve));
    expect(child.signalCode).toBe("SIGKILL");
    const read = (): string => readFileSync(path.join(trace, traceFile), "latin1");
    await expect.poll(read, { timeout: 20_000 }).toContain(`${child.pid} `);
    await expect.poll(read, { timeout: 20_000 }).toMatch(new RegExp(`^${child.pid} .*killed by SIGKILL`, "m"));
    const replay = new Replay(folder, { files: ["log", "old"], read: () => Buffer.from("before") });
    for (const step of stepsIn(read())) replay.take(step);
    expect(shown(replay, { log: "before", old: "before" })).toMatchObject({
      now: Object.fromEntries(
        readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), "latin1")]),
      ),
      left: { log: "bXYore", new: "", older: "before" },
      problem: undefined,
    });
    for (const made of [folder, trace]) rmSync(made, { recursive: true });
  },
);
