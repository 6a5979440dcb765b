import { acknowledged, refuseIt, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { cases, savepointsHold } from "./index.ts";

const refusal = no("SQL_EXECUTION_ERROR", "Statement 3 failed: no such savepoint", "batchPart");
const tried = cases.map(({ name, answer, keys }) => ({
  case: name,
  said: answer === "ok" ? yes() : refusal,
  keys: keys as readonly string[] | null,
}));
const sound = { tried };
const withCase = (name: string, change: Partial<(typeof tried)[number]>) => ({
  tried: tried.map((one) => (one.case === name ? { ...one, ...change } : one)),
});

export default proveCheck(savepointsHold, {
  holds: [sound, withCase("a failed statement after a savepoint", { said: refusal, keys: [] })],
  cannotTell: [
    { tried: tried.slice(1) },
    withCase("ROLLBACK TO", { said: nothing() }),
    withCase("ROLLBACK TO", { keys: null }),
    withCase("left open", { said: no("INTERNAL_ERROR", "panicked", "unavailable", 500) }),
    withCase("COMMIT", { said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
  ],
  breaks: {
    wrongRows: {
      seen: withCase("ROLLBACK TO", { keys: ["1", "2", "3"] }),
      // As a server that knows the words and does nothing.
      fault: sendInstead("ignoreRollbackTo", /; ROLLBACK TO SAVEPOINT a; INSERT .*\(3\); COMMIT$/, (sql) =>
        sql.replace("ROLLBACK TO SAVEPOINT a; ", ""),
      ),
      case: "ROLLBACK TO",
    },
    notRefused: {
      seen: withCase("left open", { said: yes() }),
      fault: sqlFault("rollBackInSilence", async (sql, _, exchange) => {
        if (!/^BEGIN; INSERT [^;]*$/.test(sql)) return undefined;
        await exchange();
        return acknowledged(1);
      }),
    },
    wronglyRefused: {
      seen: withCase("RELEASE", { said: refusal, keys: [] }),
      fault: refuseIt("refuseRelease", /RELEASE SAVEPOINT a; COMMIT$/),
    },
  },
});
