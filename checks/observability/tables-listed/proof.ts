import { changeColumn, changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { tablesListed } from "./index.ts";

const rows = [
  { table: "t_shared", type: "shared", options: '{"access_level":"Public"}' },
  { table: "t_stream", type: "stream", options: '{"ttl_seconds":4321}' },
  { table: "t_user", type: "user", options: '{"row_limit":777,"interval_seconds":888}' },
];
const names = rows.map((row) => ({ ...row, type: "", options: "" }));
const look = (place: string, listed: typeof rows | null, said = yes()) => ({ place, said, rows: listed });
const there = [
  look("system.tables", rows),
  look("information_schema.tables", names),
  look("SHOW TABLES", rows),
  look("SHOW TABLES IN", rows),
];
const after = there.map((one) => ({ ...one, rows: [] as typeof rows }));
const sound = { sharedAccess: "levels" as "levels" | "policies" | null, there, dropped: rows.map(() => yes()), after };
const flushed = (one: (typeof there)[number]) => ({
  ...one,
  rows:
    one.rows?.map((row) => (row.type === "shared" ? { ...row, options: '{"rows":666,"interval":555}' } : row)) ?? null,
});
const first = (looks: typeof there, change: object) => looks.map((one, at) => (at === 0 ? { ...one, ...change } : one));

export default proveCheck(tablesListed, {
  holds: [
    sound,
    { ...sound, sharedAccess: "policies", there: there.map(flushed) },
    { ...sound, there: there.map((one, at) => (at === 2 ? { ...one, rows: null } : one)) },
  ],
  cannotTell: [
    { ...sound, there: first(there, { rows: null, said: nothing() }) },
    { ...sound, there: first(there, { rows: null, said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }) },
    { ...sound, after: after.map((one) => ({ ...one, rows: null })) },
    { ...sound, dropped: [nothing(), yes(), yes()], after: first(after, { rows }) },
  ],
  breaks: {
    missing: {
      seen: { ...sound, there: first(there, { rows: rows.slice(1) }) },
      fault: changeRows("leaveOneOut", /FROM information_schema\.tables/, (all) =>
        all.length === 0 ? undefined : all.slice(1),
      ),
    },
    wrong: {
      seen: { ...sound, there: first(there, { rows: rows.map((row) => ({ ...row, type: "shared" })) }) },
      fault: changeColumn("showAllAsShared", /FROM system\.tables WHERE/, "table_type", () => "shared"),
    },
    lingering: {
      seen: { ...sound, after: first(after, { rows: rows.slice(0, 1) }) },
      fault: changeRows("keepListingTheDropped", /FROM information_schema\.tables/, (all, _, sql) =>
        all.length > 0 ? undefined : [[/'(\w+)' LIMIT/.exec(sql)?.[1] ?? "", "t_user"]],
      ),
    },
    refused: {
      seen: { ...sound, there: first(there, { rows: null, said: no("SQL_EXECUTION_ERROR", "Arrow error", "rule") }) },
      fault: refuseIt("refuseShowTablesIn", /^SHOW TABLES IN/),
    },
  },
});
