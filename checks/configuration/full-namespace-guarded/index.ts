import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, isCleanRefusal } from "../../../src/server/target.ts";

const rows = 3;

export const fullNamespaceGuarded = defineCheck({
  id: "configuration/full-namespace-guarded",
  title: "A namespace that holds rows is not dropped without CASCADE",
  failureTitle: "DROP NAMESPACE without CASCADE drops a namespace with its rows",
  description: `Creates a namespace with a table of ${rows} rows and drops it without CASCADE. It must be refused, and the rows must still be there.`,
  blindTo: "KalamDB does not promise this guard; the check says what was seen. It does not look at DROP … CASCADE.",
  risk: "One mistyped line drops every table of an application, and nothing asks whether that was meant.",
  remedy: "Let only few accounts have the role dba, and list system.tables of a namespace before dropping it.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 150,
  estimateRequests: 5,
  findings: {
    droppedRows: {
      say: (d: { before: number; message: string }) =>
        `a namespace with ${d.before} rows was dropped without CASCADE: ${d.message}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const name = context.name("full");
    await target.sql(op, `CREATE NAMESPACE ${name}`);
    await target.sql(op, `CREATE TABLE ${name}.t (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')`);
    await target.sql(op, `INSERT INTO ${name}.t (id) VALUES (1), (2), (3)`);
    const count = async (): Promise<readonly string[] | null> =>
      listed(await target.sql(op, `SELECT COUNT(*) AS c FROM ${name}.t`)) ?? null;
    const before = await count();
    const said = saidOf(await target.sql(op, `DROP NAMESPACE ${name}`));
    return { before, said, after: await count() };
  },
  judge({ before, said, after }) {
    const there = Number(before?.[0] ?? 0);
    if (there !== rows) return unknown(`the ${rows} rows to guard could not be written: ${there} are there`);
    const left = Number(after?.[0] ?? 0);
    if (said.kind === "ok")
      return fail({ name: "droppedRows", data: { before: there, message: said.message }, sent: [said.exchange] });
    if (!isCleanRefusal(said))
      return unknown(`neither accepted nor refused, but ${said.status ?? "no answer"} ${said.code} ${said.message}`);
    if (left !== rows)
      return fail({
        name: "droppedRows",
        data: { before: there, message: `refused, and ${left} rows are left` },
        sent: [said.exchange],
      });
    return pass(`refused with ${said.code}, ${left} of ${rows} rows are there`);
  },
});
