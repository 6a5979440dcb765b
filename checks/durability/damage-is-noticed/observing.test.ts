/** Which damage is done to which files, and what is then looked at. */
import { expect, test } from "vitest";
import type { NoOtherServer, OtherServer, Target } from "../../../src/server/target.ts";
import type { Disk } from "../../../src/wire/control.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { standIn, type Row, type Said } from "../stand-in.ts";
import { damageIsNoticed } from "./index.ts";

const files: Readonly<Record<string, string>> = {
  "rocksdb/1.log": "a marked-and-not-flushed-7c1e row",
  "storage/hurt/0.parquet": "zero zero zero",
  "storage/hurt/1.parquet": "one one one",
  "storage/hurt/2.parquet": "two two two",
  "storage/hurt/manifest.json": "[0,1,2]",
  "storage/sound/0.parquet": "other",
};

interface Plan {
  /** What queries of a table are answered where these files are not as they were; undefined: as always. */
  readonly answer?: (sql: string, damaged: readonly string[]) => Said | undefined;
  readonly starts?: (damaged: readonly string[]) => boolean;
  readonly without?: string;
}

async function watch({ answer, starts = () => true, without }: Plan = {}) {
  const before = new Map(Object.entries(files).filter(([name]) => without === undefined || !name.includes(without)));
  let now = new Map(before);
  const damaged = (): string[] => [...before.keys()].filter((name) => before.get(name) !== now.get(name));
  const disk: Partial<Disk> = {
    newFolder: () => "folder",
    copyOf: () => "copy",
    restore: () => void (now = new Map(before)),
    files: () => [...now.keys()],
    read: (_, file) => Buffer.from(now.get(file) ?? ""),
    write: (_, file, bytes) => void now.set(file, Buffer.from(bytes).toString()),
    remove: (_, file) => void now.delete(file ?? ""),
  };
  const [tables, steps] = [new Map<string, Map<string, Row>>(), [] as string[]];
  const another: Target["another"] = async (): Promise<OtherServer | NoOtherServer> => {
    steps.push(damaged().join(" "));
    if (!starts(damaged())) return { kind: "notReady", why: "exit code 1", ended: true, lastWords: "corrupt" };
    const { target } = standIn({ tables, ...(answer && { answer: (sql) => answer(sql, damaged()) }) });
    const root = await target.account("dba");
    const ended = async () => await Promise.resolve(null);
    return { ...target, kind: "running", root, stop: ended, kill: ended } as never;
  };
  const { target, context } = standIn();
  const control = { kind: "process", own: { others: { disk } } };
  const seen = await damageIsNoticed.observation.observe({ ...target, another, control } as never, context);
  return { verdict: judged(damageIsNoticed, seen), steps, untried: seen.untried };
}

const hurt = ["0.parquet", "1.parquet", "2.parquet", "manifest.json"].map((name) => `storage/hurt/${name}`);
const [, second = "", , manifest = ""] = hurt;

test("each damage is of a folder that is otherwise whole, after one without any", async () => {
  const { verdict, steps } = await watch({ starts: (damaged) => damaged.length === 0 });
  expect(steps).toEqual(["", "", hurt.join(" "), second, second, manifest, "rocksdb/1.log"]);
  expect(verdict).toEqual([
    "pass: 5 damages (2 of segments, 1 of manifests, 1 of unflushed rows, 0 files too many): 0 times all rows were right, 5 times an error said what is wrong",
  ]);
});

test("queries of the damaged table may be refused, those of the other may not", async () => {
  const refuses = (table: string) => (sql: string, damaged: readonly string[]) =>
    damaged.length > 0 && sql.includes(`FROM kr_damage.${table}`) ? ("missing" as const) : undefined;
  expect((await watch({ answer: refuses("hurt") })).verdict).toEqual([
    expect.stringMatching(/^pass: 5 damages .* 5 times an error/),
  ]);
  const { verdict } = await watch({ answer: refuses("sound") });
  // Of the store that all tables share, it may.
  expect(verdict.map((one) => one.split(": ").slice(0, 2).join(": "))).toEqual(
    [
      "all segments and the manifest deleted",
      "a segment with one bit flipped",
      "a segment deleted",
      "a manifest of garbage",
    ].map((name) => `spread: ${name}`),
  );
});

test.each([
  [/^INSERT INTO kr_damage\.sound .*'after'/, "an insert: rule"],
  [/^STORAGE FLUSH TABLE kr_damage\.sound/, "a flush could not be started: 400 rule"],
  [/^DELETE FROM kr_damage\.sound WHERE id = 9000/, "a delete: rule"],
])("the other table can still be written: %s", async (pattern, what) => {
  const answer = (sql: string, damaged: readonly string[]) => {
    if (damaged.length === 0) return undefined;
    if (sql.includes("FROM kr_damage.hurt")) return "missing" as const;
    return pattern.test(sql) ? ("rule" as const) : undefined;
  };
  const { verdict } = await watch({ answer });
  expect(verdict[0]).toBe(
    `spread: all segments and the manifest deleted: ${JSON.stringify({ damage: "all segments and the manifest deleted", file: hurt[0], what })}`,
  );
  expect(verdict).toHaveLength(5);
});

test.each([
  [{}, /^unknown: with all segments deleted, all rows are there all the same/],
  [{ starts: () => false }, "no other server: exit code 1: corrupt"],
  [
    { without: "parquet" },
    /^unknown: no segment and no manifest of the table was found in the data folder \(all segments/,
  ],
  [
    { without: "manifest" },
    /^unknown: no segment and no manifest of the table was found in the data folder \(a manifest of garbage\)$/,
  ],
] as const)("%o shows nothing", async (plan, expected) => {
  const said = await watch(plan).then(({ verdict }) => verdict.join("\n"), String);
  expect(said).toMatch(expected);
});
