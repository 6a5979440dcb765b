import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { shown } from "../../vocabulary/trials.ts";
import { judgeRepeats, keptText, repeatFindings, repeatScripts } from "../repeated-scripts.ts";

export const namespaceScriptsRepeat = defineCheck({
  id: "cli/namespace-scripts-repeat",
  title: "A script that creates and drops namespaces can be rerun",
  failureTitle: "A namespace script fails or changes something when rerun",
  description:
    "Creates two namespaces with IF NOT EXISTS in one request, inserts a row into one of them, and sends the same script twice more: it must succeed, and the catalogue entries and the row must be unchanged. CREATE without IF NOT EXISTS must be rejected for an existing namespace. Then sends a script that drops them with IF EXISTS three times: it must succeed each time, and the namespaces must be gone.",
  blindTo: "It reruns scripts that succeeded; a script that failed half way is not tried.",
  risk: "A deployment that is run again stops half way, or removes what the first run created.",
  remedy: "Until this passes, check system.namespaces before each CREATE and DROP.",
  covers: ["CLI-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: 16,
  findings: repeatFindings,
  async observe(target, context) {
    const op = await target.account("dba");
    const names = [context.name("a"), context.name("b")];
    const [full = ""] = names;
    const table = `${full}.t`;
    const quoted = names.map((name) => `'${name}'`).join(", ");
    const list = async (): Promise<string | null> =>
      await shown(
        target,
        op,
        `SELECT namespace_id, name, created_at FROM system.namespaces WHERE namespace_id IN (${quoted}) ORDER BY namespace_id LIMIT 10`,
      );
    return await repeatScripts(target, context, op, {
      make: names.map((name) => `CREATE NAMESPACE IF NOT EXISTS ${name}`).join("; "),
      async fill() {
        await makeTable(target, context, op, table, { type: "SHARED", columns: "id BIGINT PRIMARY KEY, v TEXT" });
        const insert = `INSERT INTO ${table} (id, v) VALUES (1, '${keptText}')`;
        context.need(await target.sql(op, insert), "the row could not be written");
      },
      plain: [{ name: "plain", as: op, sql: `CREATE NAMESPACE ${full}` }],
      clear: `DROP TABLE ${table}`,
      drop: names.map((name) => `DROP NAMESPACE IF EXISTS ${name}`).join("; "),
      state: async () => ({
        "the list of namespaces": await list(),
        "the row": await shown(target, op, `SELECT id, v FROM ${table} ORDER BY id LIMIT 10`),
      }),
      list,
    });
  },
  judge(seen, { found }) {
    const why = judgeRepeats(seen, found, { object: "NAMESPACE", count: { rows: 1, plain: 1 } });
    if (why !== undefined) return unknown(why);
    const reruns = seen.again.length + seen.droppedAgain.length;
    return pass(
      `${reruns} of ${reruns} reruns succeeded and changed nothing; CREATE without IF NOT EXISTS was rejected; both namespaces are gone`,
    );
  },
});
