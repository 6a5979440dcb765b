import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { integerText, listed, onlyRow, rowsOf, saidOf, type Said } from "../../../src/server/target.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";
import { isNoAnswer } from "../../vocabulary/second-look.ts";
import { createTable } from "../../vocabulary/tables.ts";

/** Read in one request at light effort. */
const viewsAtOnce = 7;
/** Views that every version has; the server is asked for the others. */
const viewsMin = ["namespaces", "settings", "stats", "tables", "users"];
/** Those of the version that was verified, where a dba may read each. A later one may be for others. */
const viewsOfAdministrators = new Set([
  ...viewsMin,
  "audit_log",
  "cluster",
  "cluster_groups",
  "columns",
  "datatypes",
  "job_nodes",
  "jobs",
  "live",
  "live_queries",
  "manifest",
  "schemas",
  "server_logs",
  "sessions",
  "storages",
  "topic_offsets",
  "topics",
  "transactions",
]);
const stepsMin = 4;

type View = { readonly view: string; readonly said: Said };
/** The tables of our namespace after the statement `done`. Null where there was no statement or no answer. */
type Step = {
  readonly wanted: number;
  readonly done: Said | null;
  readonly count: number | null;
  readonly listed: number | null;
  readonly exchange: number;
};

export const catalogueQueryable = defineCheck({
  id: "configuration/catalogue-queryable",
  title: "System views can be queried and count correctly",
  failureTitle: "A system view fails or counts incorrectly",
  description:
    "Reads every view of the schema system with LIMIT 0 (at light effort several in one request); a view that newer versions have may be closed to dba. Creates two tables in a scratch namespace and drops one, and after each step compares COUNT(*) of system.tables for that namespace with its listing and with the expected number.",
  blindTo: "It checks contents for tables only; the observability category checks other views.",
  risk: "Operators and monitoring act on wrong counts.",
  remedy: "Do not alert on these counts; report the miscounting view as a defect of the server.",
  covers: ["CFG-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 37,
  findings: {
    viewBroken: {
      say: (d: { view: string; outcome: string }) => `SELECT * FROM system.${d.view} LIMIT 0 failed: ${d.outcome}`,
      risk: "Operators and tools cannot see what this view is for.",
      remedy: "Look in the server's log for the failed query on the view.",
    },
    countDisagrees: {
      say: (d: { count: number; listed: number }) =>
        `COUNT(*) of system.tables for one namespace is ${d.count}, but ${d.listed} tables are listed`,
    },
    countFrozen: {
      say: (d: { counts: readonly number[]; wanted: readonly number[] }) =>
        `the number of tables in one namespace went ${d.counts.join(", ")}; expected ${d.wanted.join(", ")}`,
    },
  },
  async observe(target, { scratch, need, effort }) {
    const op = await target.account("dba");
    const listing =
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' ORDER BY table_name LIMIT 200";
    const known = listed(need(await target.sql(op, listing), "the system views could not be listed")) ?? [];
    const views: View[] = [];
    const all = known.length === 0 ? viewsMin : known;
    const query = (view: string): string => `SELECT * FROM system.${view} LIMIT 0`;
    for (let at = 0; at < all.length; at += viewsAtOnce) {
      const some = all.slice(at, at + viewsAtOnce);
      const together = effort === "light" ? saidOf(await target.sql(op, some.map(query).join("; "))) : undefined;
      // Of several that are not all answered, each is asked by itself.
      for (const view of some)
        views.push({ view, said: together?.kind === "ok" ? together : saidOf(await target.sql(op, query(view))) });
    }

    // Only in our own namespace: other clients change the total.
    const where = `WHERE namespace_id = '${scratch}'`;
    const steps: Step[] = [];
    const look = async (wanted: number, done: Said | null): Promise<void> => {
      const counted = await target.sql(op, `SELECT COUNT(*) AS c FROM system.tables ${where}`);
      const tables = rowsOf(await target.sql(op, `SELECT table_name FROM system.tables ${where} LIMIT 100`));
      const count = integerText(onlyRow(counted)?.["c"]);
      steps.push({
        wanted,
        done,
        count: count === undefined ? null : Number(count),
        listed: tables?.length ?? null,
        exchange: counted.exchange,
      });
    };
    await look(0, null);
    const create = (name: string): string =>
      createTable(`${scratch}.${name}`, { type: "SHARED", columns: "id BIGINT PRIMARY KEY" });
    for (const [sql, wanted] of [
      [create("one"), 1],
      [create("two"), 2],
      [`DROP TABLE ${scratch}.one`, 1],
    ] as const)
      await look(wanted, saidOf(await target.sql(op, sql)));
    return { views, steps };
  },
  judge({ views, steps }, { found }) {
    const closed = views.filter(isClosed);
    const asked = views.filter((one) => !closed.includes(one));
    for (const { view, said } of asked)
      if (said.kind !== "ok" && said.why !== "rate" && !isNoAnswer(said))
        found.viewBroken({ view, outcome: `${said.status} ${said.code} ${said.message}` }, { case: view, sent: said });
    const counted = steps.flatMap(({ count, listed: rows, exchange }) =>
      count === null || rows === null ? [] : [{ count, listed: rows, exchange }],
    );
    const odd = counted.find(({ count, listed: rows }) => count !== rows);
    if (odd !== undefined) found.countDisagrees({ count: odd.count, listed: odd.listed }, { sent: odd });
    const undone = steps.find(({ done }) => done !== null && done.kind !== "ok");
    const isComplete = undone === undefined && counted.length === steps.length;
    const counts = counted.map(({ count }) => count);
    if (isComplete && steps.some(({ count, wanted }) => count !== wanted))
      found.countFrozen({ counts, wanted: steps.map(({ wanted }) => wanted) }, { sent: counted });
    const unread = asked.find(({ said }) => said.kind !== "ok");
    if (unread !== undefined) return unknown(`system.${unread.view} was not answered: ${unread.said.message}`);
    const missing = viewsMin.filter((name) => !views.some(({ view }) => view === name));
    if (missing.length > 0) return unknown(`the server does not list system.${missing.join(", system.")}`);
    if (undone !== undefined) return unknown(`a table could not be created or dropped: ${undone.done?.message ?? ""}`);
    if (!isComplete || steps.length < stepsMin) return unknown("the tables of our namespace could not be counted");
    const others = closed.length === 0 ? "" : `, closed to dba: ${closed.map(({ view }) => view).join(", ")}`;
    return pass(
      `${asked.length} of ${views.length} views answer${others}; tables counted and listed: ${counts.join(", ")}`,
    );
  },
});

function isClosed({ view, said }: View): boolean {
  return isPermissionDenied(said) && !viewsOfAdministrators.has(view);
}
