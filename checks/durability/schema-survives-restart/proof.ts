import { afterStart, damaged } from "../../../src/faults/control.ts";
import { changeRows, claimSuccess } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { notRestarted, slowToStart, stopped } from "../evidence.ts";
import { schemaSurvivesRestart } from "./index.ts";

const described = (text: string | null = '[{"column_name":"id"},{"column_name":"note"}]') => [
  { place: "DESCRIBE TABLE", text, said: text === null ? "timeout" : "200 success", exchange: 3 },
];
const refused = no("SQL_EXECUTION_ERROR", "NOT NULL constraint violation", "constraint");
const loggedOut = no("UNAUTHORIZED", "invalid token", "login", 401);
const rule = { rule: "NOT NULL", before: refused, after: refused };
const sound = { before: described(), restart: stopped, after: described(), rules: [rule], level: "7" };

export default proveCheck(schemaSurvivesRestart, {
  holds: [sound],
  cannotTell: [
    { ...sound, restart: notRestarted },
    { ...sound, restart: slowToStart },
    { ...sound, before: described(null) },
    { ...sound, after: described(null) },
    // It was never enforced.
    { ...sound, rules: [{ ...rule, before: yes(), after: yes() }] },
    { ...sound, rules: [{ ...rule, after: nothing() }] },
    // A missing login enforces no rule of the table.
    { ...sound, rules: [{ ...rule, after: loggedOut }] },
    { ...sound, rules: [{ ...rule, before: loggedOut, after: yes() }] },
    { ...sound, level: null },
  ],
  breaks: {
    schemaChanged: {
      seen: { ...sound, after: described('[{"column_name":"id"}]') },
      case: "DESCRIBE TABLE",
      fault: damaged(
        "forgetOrder",
        afterStart(changeRows("forgetsTheAddedColumn", /^DESCRIBE/, (rows) => rows.slice(0, -1))),
      ),
    },
    ruleForgotten: {
      seen: { ...sound, rules: [{ ...rule, after: yes() }] },
      case: "NOT NULL",
      fault: damaged("forgetToEnforce", afterStart(claimSuccess("forgetsNotNull", /, NULL\)/, 1))),
    },
  },
  mayBeLost: [
    { what: /^SELECT metric_name/, because: "the process itself shows that it is another" },
    { what: /^SELECT 1 AS up/, because: "it is asked again until it is answered" },
    { what: /VALUES \(2, 'second'\)/, because: "its row is read afterwards" },
  ],
});
