/** What is sent to which server, and that each of them counts. */
import { expect, test } from "vitest";
import type { NoOtherServer, OtherServer, Target } from "../../../src/server/target.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { standIn, type Changes, type Row } from "../stand-in.ts";
import { backupRestores } from "./index.ts";

interface Plan {
  readonly first?: Changes["answer"];
  readonly others?: Changes["answer"];
  /** Of the others, by their number from 1. */
  readonly notReady?: number;
  /** Before the restored server is read. */
  readonly onRestored?: (rows: Map<string, Row>) => void;
}

async function watch({ first, others, notReady, onRestored }: Plan = {}) {
  const tables = new Map<string, Map<string, Row>>();
  const server = standIn({ tables, ...(first === undefined ? {} : { answer: first }) });
  const steps: string[] = [];
  let [folders, started] = [0, 0];
  const another: Target["another"] = async ({ dataFolder }): Promise<OtherServer | NoOtherServer> => {
    started += 1;
    const number = started;
    steps.push(`start ${number} on ${dataFolder}`);
    if (number === notReady) return { kind: "notReady", why: "exit code 1", ended: true, lastWords: "no space" };
    if (number === 2) onRestored?.(tables.get("kr_1.saved") ?? new Map());
    const other = standIn({ tables, ...(others === undefined ? {} : { answer: others }) });
    const stop = async (): Promise<null> => {
      steps.push(...other.sentLike(/RESTORE/), `stop ${number}`);
      return await Promise.resolve(null);
    };
    const root = await other.target.account("dba");
    return {
      ...other.target,
      kind: "running",
      root,
      stop,
      kill: server.target.control?.lifecycle?.kill,
      enter: undefined,
    } as never;
  };
  const disk = {
    newFolder: () => `/folder ${(folders += 1)}`,
    remove: (folder: string) => steps.push(`remove ${folder}`),
  };
  const control = { ...server.target.control, own: { others: { disk } } };
  const target = { ...server.target, another, control } as unknown as Target;
  const seen = await backupRestores.observation.observe(target, server.context);
  const own = server.sent.map(
    (one) => /^dba: (CREATE|INSERT|STORAGE|UPDATE|DELETE|BACKUP|SELECT COUNT)/.exec(one)?.[1] ?? "",
  );
  return {
    verdict: judged(backupRestores, seen).join("\n"),
    steps,
    sent: server.sent,
    own: own.filter((one) => one !== ""),
  };
}

test("half of the rows are flushed, some are changed, and what is then read is saved and restored elsewhere", async () => {
  const { verdict, steps, sent, own } = await watch();
  expect(verdict).toMatch(/^pass: 14 queries answered as before, by a server that was restored from the backup/);
  expect(sent.at(-1)).not.toContain("RESTORE");
  expect(sent.filter((one) => one.includes("BACKUP"))).toEqual(["dba: BACKUP DATABASE TO '/folder 1/backup'"]);
  expect(steps).toEqual([
    "start 1 on /folder 2",
    "dba: RESTORE DATABASE FROM '/folder 1/backup'",
    "stop 1",
    "start 2 on /folder 2",
    "stop 2",
    "remove /folder 1",
    "remove /folder 2",
  ]);
  // A probe of all columns, then the rows.
  expect(own.slice(0, 6)).toEqual(["CREATE", "INSERT", "DELETE", "INSERT", "STORAGE", "INSERT"]);
  expect(own.slice(6, -2).filter((one) => one === "DELETE")).toHaveLength(7);
  expect(own.slice(6, -2).filter((one) => one === "UPDATE")).toHaveLength(8);
  expect(own.slice(-2)).toEqual(["SELECT COUNT", "BACKUP"]);
});

const refusing = (pattern: RegExp, said: "rule" | "silence") => (sql: string) => (pattern.test(sql) ? said : undefined);
const failing = (sql: string): readonly Row[] | undefined => {
  const job = /'(BR-\d+)'/.exec(sql)?.[1];
  return job === undefined ? undefined : [{ job_id: job, status: "failed", message: "no space" }];
};
test.each([
  [
    "a backup that is refused",
    { first: refusing(/^BACKUP/, "rule") },
    0,
    /^unknown: the backup could not be started: 400 rule$/,
  ],
  ["a backup that fails", { first: failing }, 0, /^backupFailed: \{"what":"the backup: BR-\d+ was failed/],
  ["no other server", { notReady: 1 }, 1, /^unknown: exit code 1: no space$/],
  [
    "a restore that is refused",
    { others: refusing(/^RESTORE/, "rule") },
    1,
    /^unknown: the restore could not be started: 400 rule$/,
  ],
  [
    "a restore that fails",
    { others: failing },
    1,
    /^restoreDiffers: \{"what":"the restore: BR-\d+ was failed.*"queries":14,"of":14\}$/,
  ],
  ["a server that does not start after it", { notReady: 2 }, 2, /^unknown: after the restore: exit code 1: no space$/],
  [
    "a job that cannot be looked up",
    { others: refusing(/system\.jobs/, "silence") },
    1,
    /^unknown: the restore: the job BR-\d+ is not listed/,
  ],
  [
    "a row that is not restored",
    { onRestored: (rows: Map<string, Row>) => void rows.delete("1") },
    2,
    /^restoreDiffers: \{"what":"rows 1 to 25: 1 \| .* is gone/,
  ],
] as const)("with %s", async (_, plan, starts, expected) => {
  const { verdict, steps } = await watch(plan);
  expect(verdict).toMatch(expected);
  expect(steps.filter((one) => one.startsWith("start"))).toHaveLength(starts);
});
