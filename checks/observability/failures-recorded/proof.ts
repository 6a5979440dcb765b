import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { latePace, no, nothing, slowPace, yes } from "../../vocabulary/evidence.ts";
import { failuresRecorded } from "./index.ts";

const place = (name: string, rows: number[], change: object = {}) => ({
  place: name,
  said: yes(),
  kept: true,
  rows,
  ...change,
});
const audit = place("system.audit_log", [1, 0]);
const log = place("system.server_logs", [2, 1]);
const refused = { kind: "refused" as const, status: 401, outcome: "401 unauthorized", exchange: 1 };
const sound = {
  account: "kr_a1b2c_user_1",
  role: no("INVALID_SQL", "Unknown role", "parse"),
  login: refused,
  query: no("PERMISSION_DENIED", "System tables require dba", "permission", 403),
  places: [audit, log],
  pace: latePace,
  secrets: [] as { place: string; secret: string; exchange: number }[],
};
const empty = { kept: false, rows: [0, 0] };

export default proveCheck(failuresRecorded, {
  holds: [sound, { ...sound, places: [place("system.audit_log", [1, 1]), place("system.server_logs", [0, 0], empty)] }],
  cannotTell: [
    { ...sound, login: { ...refused, kind: "unsure" as const, status: 429 } },
    { ...sound, role: nothing() },
    { ...sound, query: nothing() },
    { ...sound, query: yes() },
    { ...sound, places: [audit, place("system.server_logs", [0, 0], empty)] },
    { ...sound, places: [audit, place("system.server_logs", [0, 0], { ...empty, said: nothing() })] },
    { ...sound, places: [] },
    // A server that is slow altogether is not accused.
    {
      ...sound,
      places: [place("system.audit_log", [0, 0]), log].map((one) => ({ ...one, rows: [0, 1] })),
      pace: slowPace,
    },
  ],
  breaks: {
    unrecorded: {
      seen: { ...sound, places: [place("system.audit_log", [0, 0]), place("system.server_logs", [0, 1])] },
      fault: changeRows("hideFailedLogins", /FROM system\.(audit_log|server_logs) WHERE/, (rows) =>
        rows.filter((row) => !/login|password/i.test(JSON.stringify(row))),
      ),
    },
    secretShown: {
      seen: {
        ...sound,
        secrets: [{ place: "system.server_logs", secret: "a wrong password from a login", exchange: 1 }],
      },
      fault: changeRows("logThePassword", /FROM system\.server_logs WHERE/, (rows, columns, sql) => [
        ...rows,
        columns.map((column) =>
          column === "message" ? `login failed: Kr1-wrong-${/kr_[a-z0-9]+_\d+(?=%' ORDER)/.exec(sql)?.[0]}` : "",
        ),
      ]),
    },
  },
});
