import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { jobIn, jobsOf } from "../../vocabulary/jobs.ts";
import { shown, sortTried, tryAll, whyUnclear } from "../../vocabulary/trials.ts";

/** `control`: the same for a table that it is meant for. */
const cases: readonly {
  readonly name: string;
  readonly wrong: (namespace: string) => string;
  readonly control: (namespace: string) => string;
  /** A thing that some versions do not have for any table. */
  readonly optional?: boolean;
}[] = [
  {
    name: "flush of a STREAM",
    wrong: (namespace) => `STORAGE FLUSH TABLE ${namespace}.stream`,
    control: (namespace) => `STORAGE FLUSH TABLE ${namespace}.shared`,
  },
  {
    name: "compaction of a STREAM",
    wrong: (namespace) => `STORAGE COMPACT TABLE ${namespace}.stream`,
    control: (namespace) => `STORAGE COMPACT TABLE ${namespace}.shared`,
  },
  {
    name: "access level of a USER table",
    wrong: (namespace) => `ALTER TABLE ${namespace}.mine SET ACCESS LEVEL PUBLIC`,
    control: (namespace) => `ALTER TABLE ${namespace}.shared SET ACCESS LEVEL PUBLIC`,
    optional: true,
  },
  {
    name: "access level of a USER table, as a property",
    wrong: (namespace) => `ALTER TABLE ${namespace}.mine SET TBLPROPERTIES (ACCESS_LEVEL='PUBLIC')`,
    control: (namespace) => `ALTER TABLE ${namespace}.shared SET TBLPROPERTIES (ACCESS_LEVEL='RESTRICTED')`,
    optional: true,
  },
  {
    name: "access level of a STREAM",
    wrong: (namespace) => `ALTER TABLE ${namespace}.stream SET ACCESS LEVEL PUBLIC`,
    control: (namespace) => `ALTER TABLE ${namespace}.shared SET ACCESS LEVEL PRIVATE`,
    optional: true,
  },
  {
    name: "transaction on a STREAM",
    wrong: (namespace) => `BEGIN; INSERT INTO ${namespace}.stream (id, v) VALUES (66, 'in a transaction'); COMMIT`,
    control: (namespace) => `BEGIN; INSERT INTO ${namespace}.shared (id, v) VALUES (66, 'in a transaction'); COMMIT`,
  },
];

/** A count of 0, however the server writes it. */
const none = /^\[\[\["?0"?\]\]\]$/;

export const wrongTableTypeRefused = defineCheck({
  id: "validation/wrong-table-type-refused",
  title: "What a type of table does not have is refused for it",
  failureTitle: "A table takes what its type does not have",
  description:
    "Flushes and compacts a STREAM table, sets an access level on a USER and a STREAM table, and writes to a STREAM table in a transaction. Each must be refused, start no job, and leave options and rows as they were. The same on a SHARED table, and a plain write to the STREAM, must work.",
  blindTo: "It does not look whether what is accepted for the right type is then carried out.",
  risk: "Somebody relies on a row being on disk, private or rolled back, where the table can promise none of it.",
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
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const columns = "(id BIGINT PRIMARY KEY, v TEXT)";
    await target.sql(op, `CREATE TABLE ${scratch}.stream (id BIGINT, v TEXT) WITH (TYPE='STREAM', TTL_SECONDS=600)`);
    await target.sql(op, `CREATE TABLE ${scratch}.mine ${columns} WITH (TYPE='USER')`);
    await target.sql(op, `CREATE TABLE ${scratch}.shared ${columns} WITH (TYPE='SHARED')`);
    const trials = (which: "wrong" | "control") =>
      cases.map((one) => ({ name: one.name, as: op, sql: one[which](scratch) }));
    const options = async (): Promise<string | null> =>
      await shown(
        target,
        op,
        `SELECT table_name, version, options FROM system.tables WHERE namespace_id = '${scratch}' AND table_name IN ('mine', 'stream') ORDER BY table_name LIMIT 10`,
      );
    const before = await options();
    const wrong = await tryAll(target, trials("wrong"));
    const after = await options();
    const rows = await shown(target, op, `SELECT COUNT(*) AS c FROM ${scratch}.stream WHERE id = 66`);
    // Something to flush first, so that the flush has a job to show.
    const [plain] = await tryAll(target, [
      { name: "plain write", as: op, sql: `INSERT INTO ${scratch}.stream (id, v) VALUES (1, 'plain')` },
    ]);
    await target.sql(op, `INSERT INTO ${scratch}.shared (id, v) VALUES (1, 'a')`);
    const controls = await tryAll(target, trials("control"));
    const jobs = await jobsOf(target, op, scratch);
    return { wrong, before, after, rows, plain: plain ?? null, controls, jobs };
  },
  judge({ wrong, before, after, rows, plain, controls, jobs }) {
    const sorted = sortTried(wrong);
    const found = sorted.accepted.map((one) => ({
      name: "accepted" as const,
      case: one.case,
      data: { case: one.case, outcome: `accepted with "${one.said.message}"` },
      sent: [one.said.exchange],
    }));
    const stray = (jobs ?? []).filter(({ about }) => /\.stream"/.test(about)).map(({ type, id }) => `${type} ${id}`);
    const strays = stray.length === 0 ? [] : [{ name: "jobCreated" as const, data: { jobs: stray } }];
    if (found.length + strays.length > 0) return fail(...found, ...strays);
    if (before === null || after === null || rows === null || jobs === null)
      return unknown("options, rows or jobs could not be looked up afterwards");
    if (before !== after || !none.test(rows)) {
      const outcome = `all were refused, and yet something changed: ${rows} rows in the STREAM, options ${after}`;
      return fail({ name: "accepted", data: { case: "looked up afterwards", outcome } });
    }
    const why = whyUnclear(sorted);
    if (why !== undefined) return unknown(why);
    if (wrong.length < cases.length || controls.length < cases.length)
      return unknown(`only ${wrong.length} of ${cases.length} statements were tried`);
    const optional = new Set(cases.filter((one) => one.optional === true).map(({ name }) => name));
    const missing = controls.filter(({ said }) => said.kind !== "ok");
    const notOffered = new Set(missing.filter((one) => optional.has(one.case) && one.said.kind === "refused"));
    const dead = missing.find((one) => !notOffered.has(one));
    if (dead !== undefined || plain?.said.kind !== "ok")
      return unknown(
        `the control does not work, so a refusal shows nothing: ${(dead ?? plain)?.case ?? ""}, ${(dead ?? plain)?.said.message ?? "not tried"}`,
      );
    const flushed = jobIn(controls[0]?.said.message ?? "");
    if (flushed === null || !jobs.some(({ id }) => id === flushed))
      return unknown("the listing does not show the job of a proper flush, so it shows nothing");
    return pass(
      `${sorted.refused.length} of ${wrong.length} refused, no job, nothing changed; ${controls.length - notOffered.size} of ${controls.length} work on the right table`,
    );
  },
});
