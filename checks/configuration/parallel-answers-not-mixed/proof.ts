import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { parallelAnswersNotMixed } from "./index.ts";

const one = (at: number, change: object = {}) => ({
  as: `kr_${at % 5}`,
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
const all = [one(1), one(2), one(3), one(4), one(5)];
const lost = [...all.slice(1), one(6, { kind: "unsure", got: null, status: 500, outcome: "INTERNAL_ERROR" })];
const none = { alone: [], again: [] };

/** A server that takes a while for each request, and answers at most three at once. */
const failWhereCrowded: Fault = {
  name: "failWhereCrowded",
  wrap(wire, fired) {
    let inFlight = 0;
    return {
      ...wire,
      async exchange(request) {
        inFlight += 1;
        try {
          const answer = await wire.exchange(request);
          // Requests are paced: a server that answers each at once would never have four.
          await new Promise((resolve) => setTimeout(resolve, 100));
          if (inFlight <= 3 || answer.kind === "broken") return answer;
          fired();
          const { sentAt, doneAt } = answer;
          return { kind: "broken", because: "reset", detail: "dropped by a fault", sentAt, doneAt };
        } finally {
          inFlight -= 1;
        }
      },
    };
  },
};

export default proveCheck(parallelAnswersNotMixed, {
  holds: [{ asked: all, ...none }],
  cannotTell: [
    { asked: [], ...none },
    { asked: [one(1), one(22), one(43), one(64), one(85)], ...none },
    { asked: [...all, one(4, { kind: "refused", got: null, status: 429, outcome: "slower" })], ...none },
    // One account for all.
    { asked: all.map((each) => ({ ...each, as: "kr_0" })), ...none },
    // Lost by chance: not again, or one by one as well.
    { asked: lost, alone: all, again: all },
    { asked: lost, alone: lost, again: lost },
  ],
  breaks: {
    mixedUp: {
      seen: { asked: [one(1, { got: "2-x" }), one(2, { got: "1-x" }), one(3)], ...none },
      fault: changeRows("answerWithAnotherLiteral", /^SELECT '8-\d+' AS mine/, () => [["8-123"]]),
    },
    lostAnswer: {
      seen: { asked: lost, alone: all, again: lost },
      fault: failWhereCrowded,
    },
  },
});
