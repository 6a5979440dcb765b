import { changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { clauses, filled } from "./clauses.ts";
import { moreClauses } from "./more-clauses.ts";
import { clausesAnswerRight } from "./index.ts";

const asked = [...clauses, ...moreClauses, ...filled].map(({ name, sql, rows }) => ({
  clause: name,
  storage: "mixed",
  sql,
  said: yes(),
  rows: rows as readonly (readonly (string | null)[])[] | null,
  again: null as readonly (readonly (string | null)[])[] | null,
}));
const none: readonly string[] = [];
const wanted = asked.map(({ clause }) => clause);
const having = (name: string, change: Partial<(typeof asked)[number]>) => ({
  asked: asked.map((one) => (one.clause === name ? { ...one, ...change } : one)),
  others: none,
  wanted,
});

export default proveCheck(clausesAnswerRight, {
  holds: [
    { asked, others: none, wanted },
    having("AVG", { rows: [["0.8000000000000"]] }),
    having("DISTINCT", { rows: [[null], ["rome"], ["bern"], ["oslo"]] }),
  ],
  cannotTell: [
    { asked: [], others: none, wanted },
    { asked: asked.slice(1), others: none, wanted },
    { asked: asked.slice(0, 5), others: none, wanted: wanted.slice(0, 5) },
    { asked, others: ["flushed: t has the rows 1, 2"], wanted },
    having("JOIN", { said: nothing(), rows: null }),
    having("JOIN", { rows: null }),
  ],
  breaks: {
    wrongAnswer: {
      seen: having("ORDER BY DESC", { rows: [["1"], ["2"], ["3"], ["5"], ["6"], ["7"], ["8"]], again: [["1"]] }),
      // One row of an outer join is left out.
      fault: changeRows("dropTheRowsThatAnOuterJoinAdds", /\bLEFT JOIN\b/, (rows) =>
        rows.some((row) => row.includes(null)) ? rows.filter((row) => !row.includes(null)) : undefined,
      ),
    },
    refused: {
      seen: having("EXCEPT", { said: no("SQL_EXECUTION_ERROR", "not implemented", "rule"), rows: null }),
      fault: refuseIt("refuseWindowFunctions", /\bOVER \(ORDER BY/, {
        message: "Statement 1 failed: This feature is not implemented: window functions",
      }),
    },
  },
});
