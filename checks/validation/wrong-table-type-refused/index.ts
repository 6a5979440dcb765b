import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { valueOf } from "../../../src/server/target.ts";
import { jobIn, jobsOf } from "../../vocabulary/jobs.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { shown, sortTried, tryAll, tryOne, whyUnclear } from "../../vocabulary/trials.ts";
import { cases, casesFor } from "./cases.ts";

/** A count of 0, as a number or as text. */
const zeroCount = /^\[\[\["?0"?\]\]\]$/;

export const wrongTableTypeRefused = defineCheck({
  id: "validation/wrong-table-type-refused",
  title: "Operations that a table type does not support are rejected",
  failureTitle: "A table accepts operations that its type does not support",
  description:
    "Flushes and compacts a STREAM table, sets an access level on a USER and a STREAM table (where there are levels), and writes to a STREAM table in a transaction. Each must be rejected, start no job, and leave options and rows unchanged. The same operations on a SHARED table, and a plain INSERT into the STREAM table, must work.",
  blindTo: "It does not check that the operations which a SHARED table accepts are carried out.",
  risk: "Users rely on a row being durable, private or rolled back in a table that cannot guarantee it.",
  remedy: "Flush only USER and SHARED tables, and keep STREAM tables out of transactions.",
  covers: ["VAL-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: 2 * cases.length + 10,
  findings: {
    accepted: { say: (d: { case: string; outcome: string }) => `${d.case}: ${d.outcome}` },
    jobCreated: {
      say: (d: { jobs: readonly string[] }) => `jobs were started for a STREAM table: ${d.jobs.join(", ")}`,
      risk: "The job list shows a flush or compaction that cannot store anything, so operators believe that the rows are durable.",
      remedy: "Ignore flush and compaction jobs of STREAM tables in system.jobs.",
    },
  },
  async observe(target, context) {
    const { scratch } = context;
    const op = await target.account("dba");
    const columns = "id BIGINT PRIMARY KEY, v TEXT";
    const stream = await makeTable(target, context, op, `${scratch}.stream`, {
      type: "STREAM",
      columns: "id BIGINT, v TEXT",
      options: { TTL_SECONDS: 600 },
    });
    await makeTable(target, context, op, `${scratch}.mine`, { columns });
    const shared = await makeTable(target, context, op, `${scratch}.shared`, { type: "SHARED", columns });
    // A flush of nothing may start no job.
    context.need(
      await target.sql(op, `INSERT INTO ${shared} (id, v) VALUES (1, 'a')`),
      "the row to flush could not be written",
    );
    const sharedAccess = valueOf(target.dialect.sharedAccess) ?? null;
    const trials = (which: "wrong" | "control") =>
      casesFor(sharedAccess).map((one) => ({ name: one.name, as: op, sql: one[which](scratch) }));
    const options = async (): Promise<string | null> =>
      await shown(
        target,
        op,
        `SELECT table_name, version, options FROM system.tables WHERE namespace_id = '${scratch}' AND table_name IN ('mine', 'stream') ORDER BY table_name LIMIT 10`,
      );
    const before = await options();
    const wrong = await tryAll(target, trials("wrong"));
    const after = await options();
    const rows = await shown(target, op, `SELECT COUNT(*) AS c FROM ${stream} WHERE id = 66`);
    const sql = `INSERT INTO ${stream} (id, v) VALUES (1, 'plain')`;
    const plain = await tryOne(target, { name: "plain write", as: op, sql });
    const controls = await tryAll(target, trials("control"));
    const jobs = await jobsOf(target, op, scratch);
    return { sharedAccess, wrong, before, after, rows, plain, controls, jobs };
  },
  judge({ sharedAccess, wrong, before, after, rows, plain, controls, jobs }, { found }) {
    const sorted = sortTried(wrong);
    for (const one of sorted.accepted)
      found.accepted(
        { case: one.case, outcome: `accepted with "${one.said.message}"` },
        { case: one.case, sent: one.said },
      );
    const started = (jobs ?? []).filter(({ about }) => /\.stream"/.test(about)).map(({ type, id }) => `${type} ${id}`);
    if (started.length > 0) found.jobCreated({ jobs: started });
    if (before === null || after === null || rows === null || jobs === null)
      return unknown("options, rows or jobs could not be read afterwards");
    if (sorted.accepted.length === 0 && (before !== after || !zeroCount.test(rows)))
      found.accepted({
        case: "looked up afterwards",
        outcome: `none was accepted, but something changed: ${rows} rows in the STREAM table, options ${after}`,
      });
    const why = whyUnclear(sorted);
    if (why !== undefined) return unknown(why);
    const wanted = casesFor(sharedAccess);
    if (wrong.length < wanted.length || controls.length < wanted.length)
      return unknown(`only ${wrong.length} of ${wanted.length} statements were tried`);
    const optional = new Set(wanted.filter((one) => one.level === true).map(({ name }) => name));
    const failed = controls.filter(({ said }) => said.kind !== "ok");
    const notOffered = failed.filter((one) => optional.has(one.case) && one.said.kind === "refused");
    const broken = [...failed, plain].find((one) => one.said.kind !== "ok" && !notOffered.includes(one));
    if (broken !== undefined)
      return unknown(
        `the control does not work, so the rejections show nothing: ${broken.case}, ${broken.said.message}`,
      );
    const job = jobIn(controls[0]?.said.message ?? "");
    if (job === null || !jobs.some(({ id }) => id === job))
      return unknown("system.jobs does not list the job of a valid flush, so its silence shows nothing");
    return pass(
      `${sorted.refused.length} of ${wrong.length} rejected, no job started, nothing changed; ${controls.length - notOffered.length} of ${controls.length} work on a SHARED table`,
    );
  },
});
