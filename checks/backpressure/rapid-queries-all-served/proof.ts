import { breakServer, changeColumn, changeRows } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { integerText } from "../../../src/server/target.ts";
import { no, nothing, yes } from "../../vocabulary/evidence.ts";
import { rapidQueriesAllServed } from "./index.ts";

const query = (at: number, change: object = {}) => ({
  asked: `${at}-x`,
  got: `${at}-x` as string | null,
  said: yes(),
  time: String(1_795_900_000_000_000_000n + BigInt(at) * 3_000_000n) as string | null,
  tookMs: 3,
  ...change,
});
const all = Array.from({ length: 50 }, (_, at) => query(at));
const at = (place: number, change: object) => ({
  queries: all.map((one, index) => (index === place ? query(place, change) : one)),
});

/** The answer to the query before it, from a cache or a pool that mixes connections up. */
const answerWithTheLast = (): Fault => {
  let last: readonly (readonly (string | number)[])[] | undefined;
  return changeRows("answerWithTheLastAnswer", /^SELECT '\d+-\d+' AS mine, NOW\(\)/, (rows, _, sql) => {
    const before = last;
    last = rows as typeof last;
    return before !== undefined && sql.includes("'13-") ? before : undefined;
  });
};

/** Late by the clock alone, so that the proof need not wait. */
const growSlower: Fault = {
  name: "growSlower",
  wrap: (wire, fired) => ({
    ...wire,
    async exchange(request) {
      const answer = await wire.exchange(request);
      const number = Number(/SELECT '(\d+)-\d+' AS mine/.exec(String(request.body))?.[1] ?? 0);
      if (number < 10 || answer.kind !== "answered") return answer;
      fired();
      return { ...answer, body: Buffer.concat([answer.body, Buffer.from(" ")]), doneAt: answer.doneAt + 20_000 };
    },
  }),
};

export default proveCheck(rapidQueriesAllServed, {
  holds: [{ queries: all }, { queries: all.map((one) => ({ ...one, time: one.time?.slice(0, 16) ?? null })) }],
  cannotTell: [
    { queries: [] },
    { queries: all.slice(0, 10) },
    at(7, { got: null, time: null, said: nothing() }),
    at(7, { got: null, time: null, said: { ...nothing("unavailable"), status: 503 } }),
    at(7, { got: null, time: null, said: no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429) }),
    at(7, { time: null }),
  ],
  breaks: {
    failed: { seen: at(13, { got: "12-x" }), fault: answerWithTheLast() },
    timeWentBack: {
      seen: at(13, { time: "1795899999000000000" }),
      // What else the machine does beside twenty short queries may slow the last ones.
      also: ["slowsDown"],
      // One of several servers behind one address has a clock that is four seconds slow.
      fault: changeColumn("slowClock", /^SELECT '\d*7-\d+' AS mine, NOW\(\)/, "now", (cell) => {
        const late = BigInt(integerText(cell) ?? "0") - 4_000_000_000n;
        return typeof cell === "string" ? String(late) : { exact: String(late) };
      }),
    },
    slowsDown: {
      seen: { queries: all.map((one, index) => ({ ...one, tookMs: index < 20 ? 3 : 90 })) },
      fault: growSlower,
    },
  },
});

/** Further faults, by the finding that they must cause (faults.test.ts). */
export const alsoFound: Readonly<Record<string, readonly Fault[]>> = {
  failed: [breakServer("failOneOfMany", /^SELECT '17-\d+' AS mine/)],
};
