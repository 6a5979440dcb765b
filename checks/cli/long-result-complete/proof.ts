import { changeRows } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { longResultComplete } from "./index.ts";

const up = Array.from({ length: 120 }, (_, at) => at + 1);
const asked = [
  {
    query: "as many as there are",
    ids: up as number[] | null,
    changed: [] as number[],
    outcome: "200 success",
    exchange: 1,
  },
  { query: "from the end", ids: up.toReversed(), changed: [], outcome: "200 success", exchange: 2 },
  { query: "more than there are", ids: up, changed: [], outcome: "200 success", exchange: 3 },
];
const sound = { asked };
const first = (change: object) => ({
  asked: asked.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});
const ascending = /ORDER BY id LIMIT 120$/;

export default proveCheck(longResultComplete, {
  holds: [sound, { asked: asked.map((one, at) => (at === 2 ? { ...one, ids: up.toReversed() } : one)) }],
  cannotTell: [{ asked: [] }, { asked: asked.slice(1) }, first({ ids: null, outcome: "timeout" })],
  breaks: {
    missing: {
      seen: first({ ids: up.slice(0, 50) }),
      fault: changeRows("returnOnlyFiftyRows", ascending, (rows) => rows.slice(0, 50)),
    },
    doubled: {
      seen: first({ ids: [1, ...up] }),
      fault: changeRows("returnFirstRowTwice", ascending, (rows) => [...rows.slice(0, 1), ...rows]),
    },
    unordered: {
      seen: first({ ids: [2, 1, ...up.slice(2)] }),
      fault: changeRows("reverseRows", ascending, (rows) => rows.toReversed()),
    },
    changed: {
      seen: first({ changed: [7] }),
      fault: changeRows("truncateTexts", ascending, (rows) =>
        rows.map(([id = null, v]) => [id, typeof v === "string" ? v.slice(0, 6) : null]),
      ),
    },
  },
});
