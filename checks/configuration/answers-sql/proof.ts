import { changeRows, refuseIt } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { answersSql } from "./index.ts";

const right = {
  kind: "ok" as "ok" | "refused" | "unsure",
  outcome: '[["1"]]',
  columns: ["test_value"],
  cells: ['"1"'],
  results: 1,
  tookMs: 2 as number | null,
  exchange: 1,
};
const three = (change: object = {}) => ({ tries: [right, right, { ...right, ...change }] });
const query = /^SELECT 1 AS test_value$/;

export default proveCheck(answersSql, {
  holds: [three(), three({ cells: ["1"] })],
  cannotTell: [{ tries: [] }, { tries: [right, right] }, three({ kind: "unsure", outcome: "timeout" })],
  breaks: {
    wrongAnswer: { seen: three({ cells: ['"2"'] }), fault: changeRows("answerTwoInsteadOfOne", query, () => [["2"]]) },
    refused: { seen: three({ kind: "refused", outcome: "400" }), fault: refuseIt("refuseASimpleQuery", query) },
  },
});
