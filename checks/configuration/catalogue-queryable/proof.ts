import { changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { catalogueQueryable } from "./index.ts";

const views = ["jobs", "namespaces", "settings", "stats", "tables", "users"].map((view) => ({ view, said: yes() }));
const step = (wanted: number, done = yes()) => ({
  wanted,
  done,
  count: wanted as number | null,
  listed: wanted as number | null,
  exchange: 1,
});
const steps = [{ ...step(0), done: null }, step(1), step(2), step(1)];
const sound = { views, steps };
const first = (said: (typeof views)[number]["said"]) => views.map((one, at) => (at === 0 ? { ...one, said } : one));

export default proveCheck(catalogueQueryable, {
  holds: [sound],
  cannotTell: [
    { ...sound, views: first(nothing()) },
    { ...sound, views: views.slice(0, 2) },
    { ...sound, steps: [{ ...step(0), done: null }, step(1, nothing()), step(2), step(1)] },
    { ...sound, steps: steps.map((one) => ({ ...one, count: null })) },
    { ...sound, steps: steps.slice(0, 2) },
    { ...sound, views: first(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)) },
  ],
  breaks: {
    viewBroken: {
      seen: { ...sound, views: first(no("SQL_EXECUTION_ERROR", "table not found", "missing")) },
      fault: refuseIt("breakTheJobsView", /SELECT \* FROM system\.jobs LIMIT 0/, { message: "Table not found" }),
    },
    countDisagrees: {
      seen: { ...sound, steps: [...steps.slice(0, 3), { ...step(1), listed: 0 }] },
      fault: changeRows("hideOneInTheListing", /^SELECT table_name FROM system\.tables WHERE/, (rows) =>
        rows.length === 2 ? rows.slice(1) : undefined,
      ),
    },
    countFrozen: {
      also: ["countDisagrees"],
      seen: { ...sound, steps: steps.map((one) => ({ ...one, count: 0, listed: 0 })) },
      fault: changeRows("freezeTheCount", /COUNT\(\*\) AS c FROM system\.tables WHERE/, () => [["0"]]),
    },
  },
});
