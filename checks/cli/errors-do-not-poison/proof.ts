import { frameFault } from "../../../src/faults/live.ts";
import { sqlFault } from "../../../src/faults/sql.ts";
import { proveCheck } from "../../../src/proof.ts";
import { badSubscriptionsFor, type Beside } from "./bad-subscriptions.ts";
import { errorsDoNotPoison } from "./index.ts";

const kinds = [
  "bad syntax",
  "a missing table",
  "an existing key",
  "a wrong type",
  "an open transaction",
  "a transaction that fails",
  "a batch that fails",
  "a division by zero",
  "a missing namespace",
  "no right",
];
const good = kinds.map((after, at) => ({
  after,
  asked: `SELECT 'mine ${at}' AS x`,
  wanted: `mine ${at}`,
  got: `mine ${at}` as string | null,
  failure: "",
  outcome: "200 success",
  exchange: at,
}));
export const beside = badSubscriptionsFor("levels").map(({ name }, at): Beside => ({
  after: name,
  refused: true,
  answer: "INVALID_SQL",
  delivered: true,
  elsewhere: true,
  anew: true,
  pace: { waitedMs: 8_000, controlMs: 20 },
  ended: null,
  times: 1,
  exchange: at,
}));
const sound = {
  sharedAccess: "levels" as "levels" | "policies",
  mistakes: kinds,
  good,
  opened: 1,
  wantedRows: 4,
  rows: 4 as number | null,
  strange: [] as string[] | null,
  sent: [1, 2],
  live: { why: null as string | null, beside },
};
const besides = (change: Partial<Beside>) => ({
  ...sound,
  live: { why: null, beside: beside.map((one, at) => (at === 1 ? { ...one, ...change } : one)) },
});
const after = (name: string, change: object) => ({
  ...sound,
  good: good.map((one) => (one.after === name ? { ...one, ...change } : one)),
});

export default proveCheck(errorsDoNotPoison, {
  holds: [
    sound,
    { ...sound, sharedAccess: "policies", live: { why: null, beside: beside.slice(0, -1) } },
    { ...sound, opened: 3 },
  ],
  cannotTell: [
    { ...sound, good: [] },
    { ...sound, mistakes: kinds.slice(1) },
    { ...sound, rows: null },
    { ...sound, strange: null },
    { ...sound, opened: 0 },
    { ...sound, opened: 9 },
    { ...sound, live: { why: "no live connection", beside: [] } },
    { ...sound, live: { why: null, beside: beside.slice(1) } },
    besides({ refused: false, answer: "acknowledged" }),
    besides({ delivered: false, elsewhere: false }),
    besides({ delivered: false, ended: 1006 }),
    after("no right", { got: null, failure: "timeout", outcome: "timeout" }),
    { ...after("no right", { got: null, failure: "unavailable", outcome: "503" }), rows: 5 },
    after("no right", { got: null, failure: "rate", outcome: "429" }),
    after("no right", { got: null, failure: "reset", outcome: "reset" }),
    {
      ...sound,
      good: good.map((one, at) => {
        if (at === 3) return { ...one, asked: "INSERT INTO kr.t", got: null, failure: "timeout", outcome: "timeout" };
        return at === 5 ? { ...one, asked: "SELECT COUNT(*) AS x FROM kr.t", wanted: "3", got: "4" } : one;
      }),
    },
  ],
  breaks: {
    poisoned: {
      seen: after("an open transaction", { got: null, failure: "rule", outcome: "400 current transaction is aborted" }),
      fault: (() => {
        let poisoned = false;
        return sqlFault("failAfterOpenTransaction", async (sql) => {
          const wasPoisoned = poisoned;
          poisoned = /^BEGIN; INSERT \S+ \S+ \(id, v\) VALUES \(1\d{5}, /.test(sql);
          if (!wasPoisoned || poisoned) return undefined;
          const error = { code: "SQL_EXECUTION_ERROR", message: "Invalid operation: the transaction is aborted" };
          return { status: 400, body: { status: "error", results: [], took: 1, error } };
        });
      })(),
    },
    silenced: {
      seen: besides({ delivered: false }),
      fault: frameFault("dropChangesAfterError", () => {
        let failed = false;
        return (message, { pass, fired }) => {
          failed ||= message["type"] === "error";
          if (failed && message["type"] === "change") fired();
          else pass(message);
        };
      }),
    },
  },
});
