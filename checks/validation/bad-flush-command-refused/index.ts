import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { jobIn, jobsOf } from "../../vocabulary/jobs.ts";
import { sortTried, tryAll, whyUnclear } from "../../vocabulary/trials.ts";

/** What each statement is made of: a table that has something to flush, and its namespace. None that could mean all tables of the server. */
const cases: readonly { readonly name: string; readonly sql: (table: string, namespace: string) => string }[] = [
  { name: "old syntax", sql: (table) => `FLUSH TABLE ${table}` },
  { name: "no table", sql: () => "STORAGE FLUSH TABLE" },
  { name: "the word TABLE left out", sql: (table) => `STORAGE FLUSH ${table}` },
  { name: "unknown table", sql: (_, namespace) => `STORAGE FLUSH TABLE ${namespace}.nowhere` },
  { name: "unknown namespace", sql: (_, namespace) => `STORAGE FLUSH TABLE ${namespace}_nowhere.t` },
  { name: "name that ends with a dot", sql: (_, namespace) => `STORAGE FLUSH TABLE ${namespace}.` },
  { name: "name of three parts", sql: (table) => `STORAGE FLUSH TABLE ${table}.x` },
  { name: "trailing words", sql: (table) => `STORAGE FLUSH TABLE ${table} right now` },
  { name: "two tables", sql: (table) => `STORAGE FLUSH TABLE ${table}, ${table}` },
  { name: "a condition", sql: (table) => `STORAGE FLUSH TABLE ${table} WHERE id = 1` },
  { name: "compaction, old syntax", sql: (table) => `COMPACT TABLE ${table}` },
  { name: "compaction, no table", sql: () => "STORAGE COMPACT TABLE" },
  { name: "compaction, unknown table", sql: (_, namespace) => `STORAGE COMPACT TABLE ${namespace}.nowhere` },
  { name: "compaction, trailing words", sql: (table) => `STORAGE COMPACT TABLE ${table} right now` },
];

export const badFlushCommandRefused = defineCheck({
  id: "validation/bad-flush-command-refused",
  title: "A flush or compaction that is not well put is refused",
  failureTitle: "A badly put flush or compaction is accepted, or starts a job",
  description: `Sends ${cases.length} flushes and compactions that are none: old syntax, no table, unknown tables, trailing words, two tables, a condition. Each must be refused, and no job of our namespace may be listed afterwards. The table they name has rows to flush; at the end a proper flush must start a job, and the listing must show it.`,
  blindTo:
    "It does not try statements that could mean all tables of the server, and does not watch whether a proper flush does its work.",
  risk: "An operator believes that rows are on disk, or started work on another table, because of a typo.",
  remedy: "Write STORAGE FLUSH TABLE namespace.table, and look for the job that it names in system.jobs.",
  covers: ["VAL-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: cases.length + 5,
  findings: {
    accepted: { say: (d: { sql: string; message: string }) => `${d.sql} was accepted: ${d.message}` },
    jobCreated: {
      say: (d: { jobs: readonly string[] }) =>
        `all were refused, and there are jobs all the same: ${d.jobs.join(", ")}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const table = `${scratch}.t`;
    await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='SHARED')`);
    await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (1, 'a'), (2, 'b')`);
    const tried = await tryAll(
      target,
      cases.map(({ name, sql }) => ({ name, as: op, sql: sql(table, scratch) })),
    );
    const jobs = await jobsOf(target, op, scratch);
    const [proper] = await tryAll(target, [{ name: "proper", as: op, sql: `STORAGE FLUSH TABLE ${table}` }]);
    const after = await jobsOf(target, op, scratch);
    return { tried, jobs, proper: proper ?? null, after };
  },
  judge({ tried, jobs, proper, after }) {
    const sorted = sortTried(tried);
    const claimed = new Set(sorted.accepted.map(({ said }) => jobIn(said.message)));
    const stray = (jobs ?? []).filter((job) => !claimed.has(job.id));
    const found = sorted.accepted.map((one) => ({
      name: "accepted" as const,
      case: one.case,
      data: { sql: one.sql, message: one.said.message },
      sent: [one.said.exchange],
    }));
    // Which one made a job that no answer names cannot be told.
    const strays = stray.map((job) => `${job.type} ${job.id}`);
    if (strays.length > 0) return fail(...found, { name: "jobCreated", data: { jobs: strays } });
    if (found.length > 0) return fail(...found);
    const why = whyUnclear(sorted);
    if (why !== undefined) return unknown(why);
    if (jobs === null || after === null) return unknown("the jobs could not be listed");
    if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} statements were tried`);
    if (proper?.said.kind !== "ok")
      return unknown(`a proper flush does not work either: ${proper?.said.message ?? "it was not tried"}`);
    const job = jobIn(proper.said.message);
    if (job === null || !after.some(({ id }) => id === job))
      return unknown(
        `the listing does not show the job of a proper flush, so it shows nothing: ${proper.said.message}`,
      );
    return pass(`${sorted.refused.length} of ${tried.length} refused, no job; a proper flush is listed as ${job}`);
  },
});
