import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Said } from "../../../src/server/target.ts";
import { isNoAnswer } from "../../vocabulary/second-look.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { cases } from "./cases.ts";

type Tried = { readonly case: string; readonly sql: string; readonly said: Said };

export const errorsNameTheCause = defineCheck({
  id: "cli/errors-name-the-cause",
  title: "Error messages name the object at fault",
  failureTitle: "An error message does not name the object at fault",
  description: `Makes ${cases.length} mistakes: a missing table, column, namespace, function or user, an existing key or table, NULL, a wrong type, a missing privilege, syntax errors. Each error message must name the object at fault, as shown to a dba (or to a plain user, where the error is about privileges).`,
  blindTo:
    "It looks for the name in the message. Whether the rest of the message helps is for people to judge; validation/constraint-error-coded looks at the codes.",
  risk: "Someone has to search a script of hundreds of lines for a misspelt column.",
  remedy:
    "Where a message says too little, send the statements one by one; the details field of the error repeats the statement.",
  covers: ["CLI-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: cases.length + 3,
  findings: {
    unclear: {
      say: (d: { case: string; sql: string; message: string }) =>
        `${d.case}: ${d.sql} was rejected with ${d.message === "" ? "no message at all" : d.message}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const table = await makeTable(target, context, op, `${context.scratch}.t`, {
      type: "SHARED",
      columns: "id BIGINT PRIMARY KEY, v TEXT NOT NULL, n INT",
    });
    const first = `INSERT INTO ${table} (id, v, n) VALUES (1, 'one', 1)`;
    context.need(await target.sql(op, first), "the first row could not be written");
    const tried: Tried[] = [];
    for (const { name, sql, asUser } of cases) {
      const text = sql(context.scratch);
      tried.push({ case: name, sql: text, said: saidOf(await target.sql(asUser === true ? user : op, text)) });
    }
    // The control: a correct query of the same table and columns.
    const control = saidOf(await target.sql(op, `SELECT id, v, n FROM ${table} WHERE id = 1`));
    return { tried, control };
  },
  judge({ tried, control }, { found }) {
    const refused = tried.filter(
      ({ said }) =>
        said.status !== null && said.status >= 400 && said.status < 500 && !isNoAnswer(said) && said.why !== "rate",
    );
    for (const { case: name, sql, said } of refused) {
      if (cases.find((one) => one.name === name)?.names.test(said.message) !== true)
        found.unclear({ case: name, sql, message: said.message }, { case: name, sent: said });
    }
    if (control.kind !== "ok") return unknown(`a correct query of the same table failed: ${control.message}`);
    const other = tried.find((one) => !refused.includes(one));
    if (other !== undefined) {
      const { case: name, said } = other;
      return unknown(`${name}: it should have been rejected, but got ${said.status ?? "no answer"} ${said.message}`);
    }
    if (tried.length < cases.length) return unknown(`only ${tried.length} of ${cases.length} mistakes were made`);
    return pass(`${refused.length} of ${cases.length} error messages name the object at fault`);
  },
});
