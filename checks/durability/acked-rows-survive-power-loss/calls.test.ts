import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bytesIn, descriptorIn, pathIn, returned, stepsIn, type Call } from "./calls.ts";

const recorded = readFileSync(new URL("recorded.txt", import.meta.url), "latin1");
const all = [...stepsIn(recorded)];
const calls = (name: string): Call[] =>
  all.flatMap(({ call, is }) => (is === "returned" && call.name === name ? [call] : []));

test("texts are read byte by byte", () => {
  const [first] = calls("write");
  expect(bytesIn(first?.args[1] ?? "")).toEqual(Buffer.from('one\n\u{0}7\u{FF}"\\ \t\u{1}\u{1}9two', "latin1"));
  expect(bytesIn(String.raw`[{iov_base="v1", iov_len=2}, {iov_base="\0\"2", iov_len=3}]`)).toEqual(
    Buffer.from('v1\0"2'),
  );
  expect(bytesIn(String.raw`"\\"`)).toEqual(Buffer.from("\\"));
  expect(bytesIn(String.raw`"\v\f\r\1779"`)).toEqual(Buffer.from([11, 12, 13, 127, 57]));
  expect(bytesIn('"cut"...')).toBeUndefined();
  expect(bytesIn("NULL")).toEqual(Buffer.alloc(0));
});

test("paths may have any sign in them", () => {
  const [, , , moved] = calls("rename").concat(calls("link"), calls("unlink"));
  expect(pathIn(calls("rename")[0]?.args[1] ?? "")).toBe('/data/kept/sub/b ü"<>\n');
  expect(pathIn(moved?.args[0] ?? "")).toBe('/data/kept/sub/b ü"<>\n');
  const after = calls("write").find(({ args }) => args[1] === '"after rename"');
  expect(descriptorIn(after?.args[0] ?? "")).toEqual({
    number: 3,
    path: '/data/kept/sub/b ü"<>\n',
    isDeleted: false,
  });
  const deleted = calls("write").find(({ args }) => args[1] === '"deleted"');
  expect(descriptorIn(deleted?.args[0] ?? "")?.isDeleted).toBe(true);
  expect(descriptorIn("AT_FDCWD</data>")).toEqual({ number: -100, path: "/data", isDeleted: false });
  expect(descriptorIn("-1")).toBeUndefined();
  expect(descriptorIn('"3</data>"')).toBeUndefined();
});

test("arguments are told apart, and so is the result", () => {
  expect(calls("pwritev2")[1]).toMatchObject({
    args: ["3</data/kept/sub/a>", '[{iov_base="D", iov_len=1}, {iov_base="S", iov_len=1}]', "2", "1", "RWF_DSYNC"],
    result: "2",
  });
  expect(calls("sendfile")[0]?.args).toEqual(["5</data/kept/cp>", "3</data/kept/src>", "[0] => [2]", "2"]);
  expect(calls("openat").map(returned)).toEqual([3, 3, 4, 5, 6, undefined]);
  expect(calls("sync")[0]).toMatchObject({ args: [], result: "0" });
});

test("a call that was interrupted by others begins and returns at its own times", () => {
  const thread = "7";
  const steps = [
    ...stepsIn(
      [
        "7 10.000001 fsync(3</d/a, b> <unfinished ...>",
        '8 10.000002 write(4</d/(x)>, "1) = 2 <unfinished ...>", 1) = 1 <0.000010>',
        "8 10.000003 --- SIGCHLD {si_signo=SIGCHLD} ---",
        "7 10.500000 <... fsync resumed>) = 0 <0.499999>",
        "9 10.600000 <... fsync resumed>) = 0 <0.1>",
        "8 10.700000 +++ exited with 0 +++",
        "8 10.7 pwrite64(5</d/",
        "",
      ].join("\n"),
    ),
  ];
  expect(steps.map(({ thread: by, call: { name, at, result }, is }) => [by, name, is, at, result])).toEqual([
    [thread, "fsync", "begun", expect.closeTo(10_000.001) as unknown, ""],
    ["8", "write", "begun", expect.closeTo(10_000.002) as unknown, "1"],
    ["8", "write", "returned", expect.closeTo(10_000.012) as unknown, "1"],
    [thread, "fsync", "returned", expect.closeTo(10_500) as unknown, "0"],
    // Cut off in the middle of a line.
    ["8", "pwrite64", "begun", expect.closeTo(10_700) as unknown, ""],
    ["8", "pwrite64", "returned", expect.closeTo(10_700) as unknown, ""],
  ]);
  expect(steps[3]?.call.args).toEqual(["3</d/a, b>"]);
  expect(steps[1]?.call.args).toEqual(["4</d/(x)>", '"1) = 2 <unfinished ...>"', "1"]);
});
