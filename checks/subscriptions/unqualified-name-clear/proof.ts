import { messageFault } from "../../../src/faults/live.ts";
import { sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { isRecord } from "../../../src/wire/json.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../vocabulary/opening-evidence.ts";
import { unqualifiedNameClear } from "./index.ts";

const canary = "in the scratch namespace";
const form = refusal("INVALID_SQL", "Query must use namespace.table format");
const missing = refusal("NOT_FOUND", "Table not found: default:kr_a1b2c_1_only");
const refused = no("SQL_EXECUTION_ERROR", "table 'default.kr_a1b2c_1_only' not found", "missing");
const plain = { name: "SUBSCRIBE TO kr_a1b2c_1_only", http: refused, sql: "", opening: form, rows: [] as string[] };
const sound = {
  control: { name: "control", http: yes(), sql: "SELECT * FROM a.b", opening: ready(), rows: [canary] },
  plain,
  withNamespace: {
    ...plain,
    name: `${plain.name} with namespace_id`,
    http: yes(),
    sql: "SELECT * FROM kr_a1b2c_1.kr_a1b2c_1_only",
    opening: ready(),
    rows: [canary],
  },
  select: refused,
};
const accepted = { ...plain, http: yes(), sql: "SELECT * FROM kr_a1b2c_1_only" };

export default proveCheck(unqualifiedNameClear, {
  holds: [
    sound,
    { ...sound, withNamespace: { ...plain, name: "with namespace_id" } },
    // Both resolve it in default; that HTTP does not look the table up is for missing-table-refused.
    { ...sound, plain: { ...accepted, opening: missing } },
  ],
  cannotTell: [
    { ...sound, control: { ...sound.control, rows: [] } },
    { ...sound, plain: { ...plain, opening: noOpening() } },
    { ...sound, plain: { ...plain, opening: refusal("SUBSCRIPTION_LIMIT_EXCEEDED") } },
    { ...sound, plain: { ...plain, http: nothing() } },
    { ...sound, select: nothing() },
  ],
  breaks: {
    otherTable: {
      also: ["disagree"],
      seen: { ...sound, plain: { ...plain, opening: ready(), rows: [canary] } },
      fault: messageFault("lookEverywhere", (message) => {
        const { subscription } = message;
        const sql = isRecord(subscription) ? subscription["sql"] : undefined;
        if (!isRecord(subscription) || typeof sql !== "string" || !/ FROM kr_\w+_only$/.test(sql)) return undefined;
        const found = sql.replace(/ FROM (kr_\w+)_only$/, " FROM $1.$1_only");
        return [{ ...message, subscription: { ...subscription, sql: found } }];
      }),
    },
    disagree: {
      seen: { ...sound, plain: accepted },
      fault: sqlFault("acceptAnyName", (sql) => {
        const [, name] = /^SUBSCRIBE TO (\w+)$/.exec(sql) ?? [];
        if (name === undefined) return undefined;
        const columns = ["status", "ws_url", "subscription", "message"];
        const schema = columns.map((column, index) => ({ name: column, data_type: "Text", index }));
        const subscription = { id: "sub", sql: `SELECT * FROM ${name}` };
        const results = [{ schema, rows: [["active", "ws://localhost/v1/ws", subscription, ""]], row_count: 1 }];
        return Promise.resolve({ status: 200, body: { status: "success", results, took: 1 } });
      }),
    },
  },
});
