import { changeRows, refuseIt } from "../../src/faults/sql.ts";
import { proveCheck } from "../../src/proof.ts";
import { no, nothing, yes } from "../evidence.ts";
import { catalogueQueryable } from "./catalogue-queryable.ts";

const views = ["jobs", "namespaces", "settings", "stats", "tables", "users"].map((view) => ({ view, said: yes() }));
const sound = {
  views,
  total: { count: 12, listed: 12, exchange: 1 } as { count: number; listed: number; exchange: number } | null,
  empty: 0 as number | null,
  made: yes(),
  created: 1 as number | null,
  dropped: yes(),
  after: 0 as number | null,
};
const first = (said: (typeof views)[number]["said"]) => views.map((one, at) => (at === 0 ? { ...one, said } : one));

export default proveCheck(catalogueQueryable, {
  holds: [sound, { ...sound, total: null }],
  cannotTell: [
    { ...sound, views: first(nothing()) },
    { ...sound, views: views.slice(0, 2) },
    { ...sound, made: nothing() },
    { ...sound, created: null },
    { ...sound, views: first(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)) },
  ],
  breaks: {
    viewBroken: {
      seen: { ...sound, views: first(no("SQL_EXECUTION_ERROR", "table not found", "missing")) },
      fault: refuseIt("breakTheJobsView", /^SELECT \* FROM system\.jobs LIMIT 0$/, { message: "Table not found" }),
    },
    countDisagrees: {
      seen: { ...sound, total: { count: 13, listed: 12, exchange: 1 } },
      fault: changeRows("forgetOneInTheListing", /^SELECT namespace_id, table_name FROM system\.tables/, (rows) =>
        rows.slice(1),
      ),
    },
    countFrozen: {
      seen: { ...sound, created: 0 },
      fault: changeRows("freezeTheCount", /COUNT\(\*\) AS c FROM system\.tables WHERE/, () => [["0"]]),
    },
  },
});
