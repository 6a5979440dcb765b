import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { jobIn, jobsOf } from "../../vocabulary/jobs.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { sortTried, tryAll, tryOne, whyUnclear } from "../../vocabulary/trials.ts";

/** Made from a table with rows to flush and its namespace. None could be understood as "all tables of the server". */
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
  title: "Malformed flush and compaction commands are rejected",
  failureTitle: "A malformed flush or compaction is accepted or starts a job",
  description: `Sends ${cases.length} malformed flush and compaction commands: old syntax, no table, unknown tables, trailing words, two tables, a condition. Each must be rejected, and system.jobs must list no job for the scratch namespace afterwards. The table has rows to flush; at the end, a valid flush must start a job and system.jobs must list it.`,
  blindTo:
    "It sends no commands that could mean all tables of the server, and does not check that a valid flush writes anything.",
  risk: "A typo makes an operator believe that rows are on disk, or starts work on another table.",
  remedy: "Write STORAGE FLUSH TABLE namespace.table, and look up the job that the answer names in system.jobs.",
  covers: ["VAL-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: cases.length + 5,
  findings: {
    accepted: { say: (d: { sql: string; message: string }) => `${d.sql} was accepted: ${d.message}` },
    jobCreated: {
      say: (d: { jobs: readonly string[] }) => `rejected commands started jobs: ${d.jobs.join(", ")}`,
      risk: "A command that reports an error still flushes or compacts a table.",
      remedy: "Check system.jobs after a rejected flush or compaction before you send it again.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const { scratch } = context;
    const table = await makeTable(target, context, op, `${scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT",
    });
    const rows = await target.sql(op, `INSERT INTO ${table} (id, v) VALUES (1, 'a'), (2, 'b')`);
    context.need(rows, "the rows to flush could not be written");
    const tried = await tryAll(
      target,
      cases.map(({ name, sql }) => ({ name, as: op, sql: sql(table, scratch) })),
    );
    const jobs = await jobsOf(target, op, scratch);
    const proper = await tryOne(target, { name: "proper", as: op, sql: `STORAGE FLUSH TABLE ${table}` });
    return { tried, jobs, proper, after: await jobsOf(target, op, scratch) };
  },
  judge({ tried, jobs, proper, after }, { found }) {
    const sorted = sortTried(tried);
    for (const one of sorted.accepted)
      found.accepted({ sql: one.sql, message: one.said.message }, { case: one.case, sent: one.said });
    // A job that no answer names cannot be attributed to a statement.
    const named = new Set(sorted.accepted.map(({ said }) => jobIn(said.message)));
    const unnamed = (jobs ?? []).filter(({ id }) => !named.has(id)).map(({ type, id }) => `${type} ${id}`);
    if (unnamed.length > 0) found.jobCreated({ jobs: unnamed });
    const why = whyUnclear(sorted);
    if (why !== undefined) return unknown(why);
    if (jobs === null || after === null) return unknown("the jobs could not be listed");
    if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} commands were tried`);
    const { kind, message } = proper.said;
    if (kind !== "ok") return unknown(`a valid flush does not work either: ${message}`);
    const job = jobIn(message);
    if (job === null || !after.some(({ id }) => id === job))
      return unknown(`system.jobs does not list the job of a valid flush, so its silence shows nothing: ${message}`);
    return pass(
      `${sorted.refused.length} of ${tried.length} rejected, no job started; a valid flush is listed as ${job}`,
    );
  },
});
