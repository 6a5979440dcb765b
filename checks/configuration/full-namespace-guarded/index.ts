import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, isCleanRefusal } from "../../../src/server/target.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

const rows = 3;

export const fullNamespaceGuarded = defineCheck({
  id: "configuration/full-namespace-guarded",
  title: "A namespace with rows is not dropped without CASCADE",
  failureTitle: "DROP NAMESPACE without CASCADE drops a namespace with rows",
  description: `Creates a namespace with a table of ${rows} rows and drops the namespace without CASCADE. The drop must be rejected, and the rows must still be there.`,
  blindTo: "KalamDB does not promise this; the check reports what it saw. It does not test DROP … CASCADE.",
  risk: "One mistyped line drops all tables of an application without confirmation.",
  remedy: "Give the role dba to few accounts, and list the tables of a namespace before dropping it.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 150,
  estimateRequests: 6,
  findings: {
    droppedRows: {
      say: (d: { before: number; message: string }) =>
        `a namespace with ${d.before} rows was dropped without CASCADE: ${d.message}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const name = context.name("full");
    context.need(await target.sql(op, `CREATE NAMESPACE ${name}`), "the namespace could not be created");
    const table = await sharedTable(target, context, op, `${name}.t`, { columns: "id BIGINT PRIMARY KEY" });
    const written = await target.sql(op, `INSERT INTO ${table} (id) VALUES (1), (2), (3)`);
    context.need(written, `the ${rows} rows could not be written`);
    const count = async (): Promise<number | null> => {
      const answer = await target.sql(op, `SELECT COUNT(*) AS c FROM ${table}`);
      // A missing table has no rows; a query without an answer shows nothing.
      if (answer.kind === "refused" && answer.cause === "missing") return 0;
      const [cell] = listed(answer) ?? [];
      return cell === undefined ? null : Number(cell);
    };
    const before = context.need(await count(), "the rows could not be counted before the drop");
    const said = saidOf(await target.sql(op, `DROP NAMESPACE ${name}`));
    return { before, said, after: await count() };
  },
  judge({ before, said, after }, { found }) {
    if (before !== rows) return unknown(`${before} rows are there before the drop; expected ${rows}`);
    if (said.kind === "ok") found.droppedRows({ before, message: said.message }, { sent: said });
    if (!isCleanRefusal(said))
      return unknown(`neither accepted nor rejected: ${said.status ?? "no answer"} ${said.code} ${said.message}`);
    if (after === null) return unknown("the rows could not be counted after the drop");
    if (after !== rows) found.droppedRows({ before, message: `rejected, but ${after} rows are left` }, { sent: said });
    return pass(`rejected with ${said.code}, ${after} of ${rows} rows are there`);
  },
});
