import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import {
  change,
  differencesFrom,
  digest,
  digestColumns,
  fill,
  refusedColumns,
  sayDifference,
  whyUnanswered,
  type Digest,
} from "../digest.ts";
import { endedAmiss, runToEnd, sayAmiss, whyNotEnded, type Amiss, type Ended } from "../jobs.ts";
import { othersOf, whyNoOther } from "../others.ts";

const half = 40;
const all = { from: 1, count: 2 * half };

type Seen = {
  readonly before: Digest;
  readonly backup: Ended;
  /** Why another server could not be started or entered; null if it could. */
  readonly noServer: string | null;
  readonly restore: Ended | null;
  /** On the other server, started again after the restore; null if it did not come to that. */
  readonly restored: Digest | null;
};

export const backupRestores = defineCheck({
  id: "durability/backup-restores",
  title: "A backup can be restored on another server",
  failureTitle: "A backup fails, or is not what is restored",
  description: `Fills a SHARED table with rows of all types, half of them flushed, some updated and deleted, and runs BACKUP DATABASE into a folder of kalam-ready's: the job must complete. Then another server is started from the same binary on an empty folder, runs RESTORE DATABASE, and is started again: all rows, their number, sums and eight predicates must be answered as on the first one.`,
  blindTo:
    "The same version on the same machine; SHARED tables only. Whether a backup taken under writes is of one moment is not looked at.",
  risk: "The backup that everyone relies on turns out to be empty on the day it is needed.",
  remedy: "Back up the data folder of a stopped server, and try a restore regularly.",
  covers: [],
  touches: "disk",
  needs: ["own-server", "dba"],
  alone: true,
  level: "block",
  estimateMs: 8_000,
  estimateRequests: 80,
  timeoutMs: 300_000,
  findings: {
    backupFailed: {
      say: (d: { what: string }) => d.what,
      timed: true,
    },
    restoreDiffers: {
      say: (d: { what: string; queries: number; of: number }) =>
        `after the restore and a start, ${d.queries} of ${d.of} queries are not answered as before: ${d.what}`,
      risk: "What a restore brings back is not what was saved, and nobody is told.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const { disk, another } = othersOf(target, context);
    const table = await sharedTable(target, context, op, `${context.scratch}.saved`, { columns: digestColumns });
    const ask = async (sql: string) => await target.sql(op, sql);
    const without = await refusedColumns(context, ask, table);
    await fill(context, ask, table, { from: 1, count: half }, without);
    const flushed = whyNotEnded(await runToEnd(target, context, op, `STORAGE FLUSH TABLE ${table}`), "the flush");
    if (flushed !== undefined) context.need({ why: flushed, whole: true }, "");
    await fill(context, ask, table, { from: half + 1, count: half }, without);
    await change(context, ask, table, all);
    const before = await digest(ask, table, all);
    const folder = disk.newFolder();
    const backup = await runToEnd(target, context, op, `BACKUP DATABASE TO '${folder}/backup'`);
    const seen = { before, backup, noServer: null, restore: null, restored: null };
    if (backup.status !== "completed") return seen;
    const dataFolder = disk.newFolder();
    const fresh = await another({ dataFolder });
    if (fresh.kind === "notReady") return { ...seen, noServer: whyNoOther(fresh) };
    const restore = await runToEnd(fresh, context, fresh.root, `RESTORE DATABASE FROM '${folder}/backup'`);
    await fresh.stop();
    if (restore.status !== "completed") return { ...seen, restore };
    const again = await another({ dataFolder });
    if (again.kind === "notReady") return { ...seen, restore, noServer: `after the restore: ${whyNoOther(again)}` };
    const restored = await digest(async (sql) => await again.sql(again.root, sql), table, all);
    await again.stop();
    for (const made of [folder, dataFolder]) disk.remove(made);
    return { ...seen, restore, restored };
  },
  judge({ before, backup, noServer, restore, restored }, { found }) {
    const amiss = endedAmiss(backup, "the backup");
    if (amiss !== undefined) found.backupFailed({ what: sayAmiss(amiss) }, { sent: backup.said });
    const failed: Amiss | undefined = restore === null ? undefined : endedAmiss(restore, "the restore");
    const of = before.length;
    if (failed !== undefined) found.restoreDiffers({ what: sayAmiss(failed), queries: of, of });
    if (restored !== null) {
      const gone = restored.filter(({ missing }) => missing);
      const differences = differencesFrom(before, restored);
      const [first] = differences;
      const [none] = gone;
      const what = none === undefined ? first && sayDifference(first) : `the table is not there (${none.why})`;
      if (what !== undefined)
        found.restoreDiffers(
          { what, queries: gone.length + differences.length, of },
          { sent: [none?.exchange ?? first?.exchange ?? 0] },
        );
    }
    const why =
      whyNotEnded(backup, "the backup") ??
      noServer ??
      (restore === null ? "nothing was restored" : whyNotEnded(restore, "the restore")) ??
      whyUnanswered([...before, ...(restored ?? [])]);
    if (why !== undefined) return unknown(why);
    return pass(
      `${of} queries answered as before, by a server that was restored from the backup (${backup.job} and ${restore?.job} completed) and started again`,
    );
  },
});
