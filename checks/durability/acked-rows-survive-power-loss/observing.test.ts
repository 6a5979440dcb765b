/** Which servers are started on what, and what of a trace reaches the folder. */
import { expect, test } from "vitest";
import type { NoOtherServer, OtherServer, Target } from "../../../src/server/target.ts";
import type { AnotherStart, Disk } from "../../../src/wire/control.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { standIn, type Row } from "../stand-in.ts";
import { ackedRowsSurvivePowerLoss } from "./index.ts";

const files: Readonly<Record<string, string>> = { "rocksdb/1.log": "base ", lock: "" };
/** What the traced server did, all of it before the first cut. */
const did = [
  'openat(AT_FDCWD</>, "/f1/rocksdb/1.log", O_WRONLY|O_APPEND) = 3</f1/rocksdb/1.log>',
  'write(3</f1/rocksdb/1.log>, "synced ", 7) = 7',
  "fsync(3</f1/rocksdb/1.log>) = 0",
  'write(3</f1/rocksdb/1.log>, "lost", 4) = 4',
  'mkdir("/f1/made", 0777) = 0',
  'unlink("/f1/lock") = 0',
];
const ended = "+++ killed by SIGKILL +++";

async function watch({
  lines = [...did, ended],
  late = [],
}: { lines?: readonly string[]; late?: readonly string[] } = {}) {
  const [folders, steps] = [new Map<string, Map<string, string>>(), [] as string[]];
  const inside = (folder: string): Map<string, string> => folders.get(folder) ?? new Map<string, string>();
  const newFolder = (content?: ReadonlyMap<string, string>): string => {
    const name = `/f${folders.size + 1}`;
    folders.set(name, new Map(content));
    return name;
  };
  const disk: Disk = {
    newFolder,
    copyOf: (folder) => newFolder(inside(folder)),
    restore: (folder, copy) => void folders.set(folder, new Map(inside(copy))),
    files: (folder) => [...inside(folder).keys()].filter((name) => !name.endsWith("/")).toSorted(),
    read: (folder, file) => Buffer.from(inside(folder).get(file) ?? "", "latin1"),
    write: (folder, file, bytes) => void inside(folder).set(file, Buffer.from(bytes).toString("latin1")),
    makeFolder: (folder, name) => void inside(folder).set(`${name}/`, ""),
    remove: (folder, file) => void (file === undefined ? folders.delete(folder) : inside(folder).delete(file)),
  };
  const tables = new Map<string, Map<string, Row>>();
  const another: Target["another"] = async ({
    dataFolder,
    traceTo,
    durable,
  }: AnotherStart): Promise<OtherServer | NoOtherServer> => {
    const content = [...inside(dataFolder)].map(([name, text]) => `${name}=${text}`).toSorted();
    steps.push(
      `${durable === true ? "" : "not durable "}${traceTo === undefined ? "" : "traced "}${content.join(", ")}`,
    );
    if (steps.length === 1) for (const [name, text] of Object.entries(files)) inside(dataFolder).set(name, text);
    const { target } = standIn({ tables });
    const root = await target.account("dba");
    const stop = async (): Promise<null> => await Promise.resolve(null);
    const kill = async (): Promise<void> => {
      if (traceTo !== undefined) {
        const stamp = (line: string, at: number): string => `7 ${(at / 1000).toFixed(6)} ${line}\n`;
        const all = [...lines.map((line) => stamp(line, 1)), ...late.map((line) => stamp(line, Date.now() + 60_000))];
        inside(traceTo).set("trace", all.join(""));
        inside(dataFolder).set("rocksdb/1.log", "base synced lost");
        inside(dataFolder).delete("lock");
      }
      await Promise.resolve();
    };
    return { ...target, kind: "running", root, stop, kill } as never;
  };
  const { target, context } = standIn();
  const control = { kind: "process", own: { others: { disk, hasOlder: false } } };
  const seen = await ackedRowsSurvivePowerLoss.observation.observe({ ...target, another, control } as never, context);
  return { verdict: judged(ackedRowsSurvivePowerLoss, seen), steps, left: folders.size };
}

test("each cut leaves what was synced by then", async () => {
  const { verdict, steps, left } = await watch();
  const after = "made/=, rocksdb/1.log=base synced ";
  expect(steps).toEqual([
    "",
    "traced lock=, rocksdb/1.log=base ",
    // The kill leaves all of it.
    "rocksdb/1.log=base synced lost",
    after,
    after,
    after,
  ]);
  expect(left).toBe(0);
  expect(verdict).toEqual([
    "pass: 3 power cuts (right after an insert, a flush that was reported completed, an update): all 42 acknowledged statements took effect for good; 2 writes and 1 syncs were recorded, and 1 KiB were not on disk at the last cut",
  ]);
});

test("what returned after a cut is not there", async () => {
  const [write = "", sync = ""] = did.slice(1, 3);
  const lines = [did[0] ?? "", write, ended];
  const { steps } = await watch({ lines, late: [sync, ...did.slice(3), ended] });
  expect(steps.slice(3)).toEqual(Array.from({ length: 3 }, () => "lock=, rocksdb/1.log=base "));
});

test.each([
  [
    { lines: [...did.slice(0, -1), ended] },
    "unknown: what was recorded is not what the kill left in lock: something else wrote there",
  ],
  [
    { lines: [...did.slice(0, 3), ...did.slice(4), ended] },
    "unknown: what was recorded is not what the kill left in rocksdb/1.log: something else wrote there",
  ],
  [{ lines: did }, "unknown: what the server wrote cannot be followed: strace did not record until the kill"],
  [
    { lines: [...did, "io_uring_setup(8, {}) = 4<anon_inode:[io_uring]>", ended] },
    "unknown: what the server wrote cannot be followed: it writes in a way that is not traced (io_uring_setup)",
  ],
])("%o shows nothing", async (plan, expected) => {
  expect((await watch(plan)).verdict).toEqual([expected]);
});
