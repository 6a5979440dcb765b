import { changeRows, breakServer } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { parallelAnswersNotMixed } from "./index.ts";

const one = (at: number, change: object = {}) => ({
  asked: `${at}-x`,
  got: `${at}-x` as string | null,
  outcome: "",
  status: 200,
  kind: "ok" as const,
  from: at,
  to: at + 5,
  exchange: at,
  ...change,
});
const all = [one(1), one(2), one(3)];

export default proveCheck(parallelAnswersNotMixed, {
  holds: [{ asked: all }],
  cannotTell: [
    { asked: [] },
    { asked: [one(1), one(20), one(40)] },
    { asked: [...all, one(4, { kind: "refused", got: null, status: 429, outcome: "slower" })] },
  ],
  breaks: {
    mixedUp: {
      seen: { asked: [one(1, { got: "2-x" }), one(2, { got: "1-x" }), one(3)] },
      fault: changeRows("answerWithAnotherLiteral", /^SELECT '7-\d+' AS mine/, () => [["8-123"]]),
    },
    lostAnswer: {
      seen: { asked: [...all, one(4, { kind: "unsure", got: null, status: 500, outcome: "INTERNAL_ERROR" })] },
      fault: breakServer("failOneOfMany", /^SELECT '7-\d+' AS mine/),
    },
  },
});
