import { errorBody, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { initialRows } from "./cases.ts";
import { notNullHolds } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "NOT NULL constraint violation", "constraint");
const one = (name: string, said: typeof refusal) => ({ case: name, role: "user", sql: `INSERT ${name}`, said });
const names = ["text left out", "number left out", "key left out", "NULL", "NULL as a parameter", "NULL key"];
const more = ["NULL among many", "NULL from a SELECT", "NULL in a transaction", "UPDATE to NULL"];
const last = ["UPDATE to NULL as a parameter", "UPDATE of one among many"];
const tried = [...names, ...more, ...last].map((name) => one(name, refusal));
const rows = initialRows;
const proper = [one("INSERT", yes()), one("UPDATE", yes())];
const user = { kind: "USER", tried, rows: rows as typeof rows | null, proper };
const shared = { ...user, kind: "SHARED" };
const withUser = (change: Partial<typeof user>) => ({ tables: [{ ...user, ...change }, shared] });
const saying = (name: string, said: typeof refusal) =>
  tried.map((each) => (each.case === name ? one(name, said) : each));

export default proveCheck(notNullHolds, {
  holds: [{ tables: [user, shared] }],
  cannotTell: [
    { tables: [user] },
    withUser({ rows: null }),
    withUser({ rows: rows.slice(1) }),
    withUser({ tried: tried.slice(1) }),
    withUser({ tried: saying("NULL", nothing()) }),
    withUser({ tried: saying("NULL", no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)) }),
    withUser({ proper: [one("INSERT", refusal), one("UPDATE", yes())] }),
    withUser({ proper: [] }),
    // An unanswered statement may have been executed.
    withUser({ tried: saying("NULL", nothing()), rows: [...rows, ["12", null, "1", null]] }),
  ],
  breaks: {
    accepted: {
      seen: withUser({ tried: saying("text left out", yes()), rows: [...rows, ["10", "", "1", null]] }),
      fault: sendInstead("makeUpWhatIsLeftOut", /\(id, num\) VALUES \(10, 1\)$/, (sql) =>
        sql.replace("(id, num) VALUES (10, 1)", "(id, must, num) VALUES (10, '', 1)"),
      ),
    },
    partial: {
      seen: withUser({ rows: [...rows, ["14", "a", "1", null]] }),
      fault: sqlFault("keepTheRowsBeforeTheBadOne", async (sql, _, exchange) => {
        if (!/\(15, NULL, 1\)/.test(sql)) return undefined;
        await exchange(sql.replace(/, \(15, NULL, 1\).*$/, ""));
        return { status: 400, body: errorBody("SQL_EXECUTION_ERROR", "NOT NULL constraint violation: column 'must'") };
      }),
    },
  },
});
