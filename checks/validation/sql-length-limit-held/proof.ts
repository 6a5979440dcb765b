import { errorBody, refuseIt, sendInstead, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { sqlLengthLimitHeld, type Sent } from "./index.ts";

const tooLong = no("INVALID_SQL", "SQL query too long", "rule");
const sound = {
  bytes: 1_048_576,
  within: { said: yes(), there: true as boolean | null },
  beyond: { said: tooLong, there: false as boolean | null },
};
const beyond = (change: Partial<Sent>) => ({ ...sound, beyond: { ...sound.beyond, ...change } });
const within = (change: Partial<Sent>) => ({ ...sound, within: { ...sound.within, ...change } });

const atLimit = /\.long \(id\) VALUES \(1\) \/\*/;
const overLimit = /\.long \(id\) VALUES \(2\) \/\*/;
const shortened = (sql: string): string => sql.replace(/\/\*x+\*\//, "");

export default proveCheck(sqlLengthLimitHeld, {
  holds: [sound],
  cannotTell: [
    within({ said: nothing() }),
    within({ there: false }),
    within({ there: null }),
    beyond({ said: nothing() }),
    // As a proxy answers that has a limit of its own.
    beyond({ said: { ...nothing("malformed"), status: 413 } }),
    beyond({ there: null }),
  ],
  breaks: {
    refusedAtLimit: {
      seen: within({ said: tooLong, there: false }),
      fault: refuseIt("countOneByteTooMany", atLimit, { code: "INVALID_SQL", message: "SQL query too long" }),
    },
    acceptedOverLimit: {
      seen: beyond({ said: yes(), there: true }),
      fault: sendInstead("acceptAnyLength", overLimit, shortened),
    },
    executedThough: {
      seen: beyond({ there: true }),
      fault: sqlFault("measureAfterExecuting", async (sql, _, exchange) => {
        if (!overLimit.test(sql)) return undefined;
        await exchange(shortened(sql));
        return { status: 400, body: errorBody("INVALID_SQL", "SQL query too long") };
      }),
    },
  },
});
