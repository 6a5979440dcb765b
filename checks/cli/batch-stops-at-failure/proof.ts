import { errorBody, rewordRefusal, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { batchStopsAtFailure } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "Statement 4 failed: Primary key violation", "batchPart");
const batches = [
  { kind: "plain" as const, said: refusal, done: [1, 2, 3] as number[] | null },
  { kind: "unreadable" as const, said: no("INVALID_SQL", "found: INSRT", "parse"), done: [] },
  { kind: "transaction" as const, said: refusal, done: [] },
  { kind: "unreadable transaction" as const, said: no("INVALID_SQL", "found: INSRT", "parse"), done: [] },
];
const sound = { batches };
const having = (kind: string, change: object) => ({
  batches: batches.map((one) => (one.kind === kind ? { ...one, ...change } : one)),
});
const plain = /^INSERT .*, 'again'\)/;

export default proveCheck(batchStopsAtFailure, {
  holds: [sound, having("transaction", { said: { ...refusal, kind: "unsure", why: "unrecognised" } })],
  cannotTell: [
    { batches: [] },
    { batches: batches.slice(0, 3) },
    having("plain", { done: null }),
    having("plain", { said: nothing() }),
    having("plain", { said: { ...refusal, kind: "unsure", why: "unrecognised", message: "no leader" } }),
    having("unreadable", { said: yes() }),
    having("transaction", { said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
  ],
  breaks: {
    ranOn: {
      seen: having("plain", { done: [1, 2, 3, 5, 6] }),
      fault: sqlFault("continueAfterFailure", async (sql, _, exchange) => {
        if (!plain.test(sql)) return undefined;
        for (const statement of sql.split("; ")) await exchange(statement);
        return { status: 400, body: errorBody("SQL_EXECUTION_ERROR", "Statement 4 failed: Primary key violation") };
      }),
    },
    notNamed: {
      seen: having("plain", { said: no("SQL_EXECUTION_ERROR", "Primary key violation", "constraint") }),
      fault: rewordRefusal("omitStatementNumber", plain, (message) => message.replace(/^Statement \d+ failed: /, "")),
    },
    keptRows: {
      seen: having("transaction", { done: [1, 2, 3] }),
      fault: sendInstead("omitTransaction", /^BEGIN; .*, 'again'\)/, (sql) =>
        sql.replace("BEGIN; ", "").replace("; COMMIT", ""),
      ),
    },
    undone: {
      seen: having("plain", { done: [1] }),
      fault: sqlFault("rollBackWholeBatch", async (sql, _, exchange) => {
        if (!plain.test(sql)) return undefined;
        const said = await exchange(`BEGIN; ${sql}; COMMIT`);
        return said === undefined
          ? undefined
          : { ...said, body: errorBody("SQL_EXECUTION_ERROR", "Statement 4 failed: Primary key violation") };
      }),
    },
  },
});
