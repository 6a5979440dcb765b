import type { Json } from "../../../src/wire/json.ts";
import { changeResult, sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { outputStable } from "./index.ts";

const shown = ["values of many types", "a NULL of type TEXT", "groups in order", "columns of a view"].map((query) => ({
  query,
  answers: [{ text: "[…]", times: 15, exchange: 1 }],
  broken: 0,
  failed: 0,
  outcome: "",
  exchange: 0,
}));
const sound = { runs: 15, shown };
const first = (change: object) => ({
  runs: 15,
  shown: shown.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});
const reset = { answers: [], broken: 5, outcome: "reset: other side closed", exchange: 1 };

export default proveCheck(outputStable, {
  holds: [sound],
  cannotTell: [
    { runs: 0, shown: [] },
    { runs: 15, shown: shown.slice(1) },
    { runs: 2, shown: shown.map((one) => ({ ...one, answers: [{ text: "[…]", times: 2, exchange: 1 }] })) },
    first({ failed: 1, outcome: "429 RATE_LIMIT_EXCEEDED", answers: [{ text: "[…]", times: 14, exchange: 1 }] }),
    first({ broken: 1, outcome: "reset", answers: [{ text: "[…]", times: 14, exchange: 1 }] }),
    first({ answers: [], failed: 15, outcome: "timeout" }),
    { runs: 15, shown: shown.map((one) => ({ ...one, ...reset })) },
    first({ answers: [] }),
    first({ ...reset, broken: 4, failed: 11 }),
  ],
  breaks: {
    neverAnswered: {
      seen: first(reset),
      fault: sqlFault("closeConnectionAtTypedNull", (sql) =>
        sql.includes("CAST(NULL AS TEXT)") ? Promise.resolve("lost") : undefined,
      ),
    },
    changed: {
      seen: first({
        answers: [
          { text: "[a]", times: 14, exchange: 1 },
          { text: "[b]", times: 1, exchange: 2 },
        ],
      }),
      fault: (() => {
        let seen = 0;
        return changeResult("swapColumnsSometimes", /^SELECT 'zeta'/, (result) => {
          seen += 1;
          if (seen % 5 !== 3) return undefined;
          const swap = (list: Json): Json => {
            const [a = null, b = null, ...rest] = list as readonly Json[];
            return [b, a, ...rest];
          };
          return {
            ...result,
            schema: swap(result["schema"] ?? []),
            rows: (result["rows"] as readonly Json[]).map(swap),
          };
        });
      })(),
    },
  },
});
