import type { Json } from "../../../src/wire/json.ts";
import { changeColumn, changeRows, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { storagesHealthy } from "./index.ts";

const checked = { storage: "local", said: yes(), status: "healthy", unable: [] as string[], error: "" };
const bogus = {
  storage: "kr_a1b2c_1_nowhere",
  said: no("SQL_EXECUTION_ERROR", "Not found: Storage not found", "missing"),
  status: "",
};
const sound = {
  ofTable: "local",
  listed: ["local"] as string[] | null,
  inShow: ["local"] as string[] | null,
  said: [yes(), yes()],
  secrets: [] as { storage: string; what: string }[],
  checked: [checked],
  bogus,
};
const healthy: Json = {
  status: "success",
  results: [{ schema: [{ name: "status", data_type: "Text", index: 0 }], rows: [["healthy"]], row_count: 1 }],
  took: 1,
};

export default proveCheck(storagesHealthy, {
  holds: [
    sound,
    { ...sound, listed: ["local", "s3"], inShow: ["local", "s3"], checked: [checked, { ...checked, storage: "s3" }] },
  ],
  cannotTell: [
    { ...sound, listed: null, checked: [] },
    { ...sound, inShow: null },
    { ...sound, checked: [{ ...checked, said: nothing(), status: "" }] },
    { ...sound, checked: [{ ...checked, said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429), status: "" }] },
    { ...sound, bogus: { ...bogus, said: nothing() } },
  ],
  breaks: {
    unhealthy: {
      seen: { ...sound, checked: [{ ...checked, status: "unhealthy", unable: ["writable"], error: "read-only" }] },
      fault: changeColumn("reportNotWritable", /^STORAGE CHECK local$/, "writable", () => false),
    },
    missing: {
      seen: { ...sound, listed: [], checked: [] },
      fault: changeRows("hideOneStorage", /^SHOW STORAGES/, (rows) => rows.slice(1)),
    },
    secretShown: {
      seen: { ...sound, secrets: [{ storage: "local", what: "secret_access_key" }] },
      fault: changeColumn(
        "showTheKey",
        /FROM system\.storages/,
        "credentials",
        () => '{"secret_access_key":"not-so-secret"}',
      ),
    },
    alwaysHealthy: {
      seen: { ...sound, bogus: { ...bogus, said: yes(), status: "healthy" } },
      fault: sqlFault("reportAnythingHealthy", (sql) =>
        /^STORAGE CHECK \w+_nowhere$/.test(sql) ? Promise.resolve({ status: 200, body: healthy }) : undefined,
      ),
    },
  },
});
