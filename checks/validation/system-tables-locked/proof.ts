import { claimSuccess, sendInstead } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { systemTablesLocked } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "Invalid operation: Cannot update system table 'system.users'", "rule");
const tried = ["user", "service", "dba"].flatMap((role) =>
  Array.from({ length: role === "dba" ? 20 : 15 }, (_, at) => ({
    case: `case ${at}`,
    role,
    sql: "UPDATE",
    said: refusal,
  })),
);
const looks = ["none", "user", "service", "dba"].map((after) => ({
  after,
  shown: '[[["kr_a1b2c_user_1","user"]]]' as string | null,
}));
const sound = {
  tried,
  looks,
  controls: Array.from({ length: 3 }, () => yes()),
  byService: 15,
  byDba: 15,
  ownServer: true,
};
const first = (said: (typeof tried)[number]["said"]) => ({
  ...sound,
  tried: tried.map((one, at) => (at === 0 ? { ...one, said } : one)),
});

export default proveCheck(systemTablesLocked, {
  holds: [
    sound,
    { ...sound, tried: tried.filter((one) => one.role !== "service" || Number(one.case.slice(5)) < 5), byService: 5 },
    first(no("PERMISSION_DENIED", "no right", "permission", 403)),
    { ...sound, tried: tried.filter((one) => one.role !== "dba" || Number(one.case.slice(5)) < 15), ownServer: false },
  ],
  cannotTell: [
    { ...sound, tried: tried.filter(({ role }) => role !== "service"), byService: 5 },
    first(nothing()),
    first(no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429)),
    { ...sound, tried: tried.slice(1) },
    { ...sound, looks: looks.map((one) => ({ ...one, shown: null })) },
    { ...sound, looks: looks.slice(0, 2) },
    { ...sound, controls: [] },
    { ...sound, controls: sound.controls.map((one, at) => (at === 1 ? refusal : one)) },
  ],
  breaks: {
    accepted: {
      seen: first(yes("Deleted 0 row(s)")),
      fault: claimSuccess("takeAwayAJob", /^DELETE FROM system\.jobs/),
    },
    changed: {
      also: ["accepted"],
      seen: {
        ...sound,
        looks: looks.map((one, at) => (at < 2 ? one : { ...one, shown: '[[["kr_a1b2c_user_1","dba"]]]' })),
      },
      fault: sendInstead(
        "updateTheRole",
        /^UPDATE system\.users SET role/,
        (sql) => `ALTER USER ${/'kr_\w+'/.exec(sql)?.[0] ?? "''"} SET ROLE dba`,
      ),
    },
  },
});
