import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Account, type Said, truncated } from "../../../src/server/target.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { makeTable, sharedTable } from "../../vocabulary/tables.ts";
import { shown, sortTried, tryAll, whyUnclear, type Trial, type Tried } from "../../vocabulary/trials.ts";
import { alterations, writes, type Ours } from "./statements.ts";

/** A user, a service account and a dba. */
const accountsMin = 3;

/** `after`: the role whose statements were sent before it. */
type Look = { readonly after: string; readonly shown: string | null };

export const systemTablesLocked = defineCheck({
  id: "validation/system-tables-locked",
  title: "System tables cannot be written with SQL",
  failureTitle: "System tables can be written with SQL",
  description: `Sends ${writes.length} INSERT, UPDATE and DELETE statements on system.users, namespaces, schemas, settings, jobs and others as user, service (a third of them at light effort) and dba (about half of them at light effort), including one after another statement and one in a transaction; on a server that kalam-ready started, also ALTER, CREATE and DROP. They name only an account, a namespace and a table of this run. Each must be rejected, the run's own entries in the system tables must not change, and each role must be able to write to an ordinary table.`,
  blindTo: "It does not try CREATE USER and similar commands; validation/user-administration-guarded does.",
  risk: "Anyone who can send SQL can become an administrator or delete the audit log.",
  remedy:
    "Take the roles that got through away from every account, and compare system.users with the accounts you know.",
  covers: ["VAL-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, dba: 1 },
  estimateMs: 600,
  estimateRequests: 3 * (writes.length + 2) + 12,
  // The statements are sequential: on a busy machine they take long.
  timeoutMs: 120_000,
  findings: {
    accepted: {
      say: (d: { as: string; case: string; message: string }) => `${d.case}, as ${d.as}, was accepted: ${d.message}`,
    },
    changed: {
      say: (d: { after: string; before: string; now: string }) =>
        `the run's entries in the system tables changed during the statements as ${d.after}: ${d.now} instead of ${d.before}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const accounts = [await target.account("user"), await target.account("service"), op];
    const victim = await target.fresh("user");
    const ours: Ours = {
      account: victim.name,
      planted: context.accountName("planted"),
      namespace: context.name("locked"),
      plantedNamespace: context.name("planted"),
    };
    const { namespace: ns } = ours;
    context.need(await target.sql(op, `CREATE NAMESPACE ${ns}`), `the namespace ${ns} could not be created`);
    const table = await makeTable(target, context, op, `${ns}.t`, { columns: "id BIGINT PRIMARY KEY, v TEXT" });
    await sharedTable(target, context, op, `${ns}.closed`, { columns: "id BIGINT PRIMARY KEY" });
    const look = async (after: string): Promise<Look> => ({
      after,
      shown: await shown(
        target,
        op,
        [
          `SELECT user_id, role, email, deleted_at FROM system.users WHERE user_id IN ('${ours.account}', '${ours.planted}') ORDER BY user_id LIMIT 10`,
          `SELECT namespace_id FROM system.namespaces WHERE namespace_id IN ('${ns}', '${ours.plantedNamespace}') ORDER BY namespace_id LIMIT 10`,
          `SELECT table_name, access_level FROM system.schemas WHERE namespace_id = '${ns}' ORDER BY table_name LIMIT 10`,
          "SELECT column_name FROM information_schema.columns WHERE table_schema = 'system' AND table_name = 'users' ORDER BY column_name LIMIT 100",
          "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' ORDER BY table_name LIMIT 200",
        ].join("; "),
      ),
    });
    // What lets a service account through lets a plain user or a dba through, too, but for its role alone.
    const byService = sampleAtLight(context, writes, 3);
    const byDba = sampleAtLight(context, writes, 2, ([name]) => name.includes("role"));
    const trialsOf = (as: Account): Trial[] =>
      [
        ...(as.role === "service" ? byService : as.role === "dba" ? byDba : writes),
        ...(target.control === undefined || as.role !== "dba" ? [] : alterations),
      ].map(([name, sql]) => ({
        name,
        as,
        sql: sql(ours),
      }));
    const looks = [await look("none")];
    const tried: Tried[] = [];
    const controls: Said[] = [];
    for (const as of accounts) {
      tried.push(...(await tryAll(target, trialsOf(as))));
      looks.push(await look(as.role));
      const ordinary = [
        `INSERT INTO ${table} (id, v) VALUES (1, 'a')`,
        `UPDATE ${table} SET v = 'b' WHERE id = 1`,
        `DELETE FROM ${table} WHERE id = 1`,
      ];
      controls.push(saidOf(await target.sql(as, ordinary.join("; "))));
    }
    return {
      tried,
      looks,
      controls,
      byService: byService.length,
      byDba: byDba.length,
      ownServer: target.control !== undefined,
    };
  },
  judge({ tried, looks, controls, byService, byDba, ownServer }, { found }) {
    // Missing privileges are a proper reason to refuse these.
    const sorted = sortTried(tried, true);
    for (const one of sorted.accepted)
      found.accepted(
        { as: one.role, case: one.case, message: one.said.message },
        { case: `${one.case}, as ${one.role}`, sent: one.said },
      );
    for (const [at, { after, shown: now }] of looks.entries()) {
      const before = looks[at - 1]?.shown ?? null;
      if (now === null || before === null || now === before) continue;
      found.changed(
        { after, before: truncated(before, 200), now: truncated(now, 200) },
        {
          case: `after the tries as ${after}`,
          sent: tried.filter(({ role }) => role === after).map(({ said }) => said),
        },
      );
    }
    if (looks.length <= 3 || looks.some((one) => one.shown === null))
      return unknown("the system tables could not be read before and after, so a change would have gone unnoticed");
    const why = whyUnclear(sorted);
    if (why !== undefined) return unknown(why);
    const wanted = writes.length + byService + byDba + (ownServer ? alterations.length : 0);
    if (tried.length < wanted) return unknown(`only ${tried.length} of ${wanted} statements were tried`);
    const failing = controls.find(({ kind }) => kind !== "ok");
    if (failing !== undefined || controls.length < accountsMin)
      return unknown(`writing to an ordinary table does not work either: ${failing?.message ?? "it was not tried"}`);
    return pass(
      `${sorted.refused.length} of ${tried.length} statements rejected as user, service and dba, the run's entries unchanged${ownServer ? "" : "; ALTER and DROP were not sent to a server that kalam-ready did not start"}`,
    );
  },
});
