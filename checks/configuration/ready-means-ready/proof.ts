import { damaged, lifecycleFault } from "../../../src/faults/control.ts";
import { errorBody, sqlFault, type Said } from "../../../src/faults/sql.ts";
import { proveCheck, type Fault } from "../../../src/proof.ts";
import { failed, notRestarted, stopped } from "../../durability/evidence.ts";
import { readyMeansReady } from "./index.ts";

const unavailable = { status: 503, body: errorBody("SERVICE_UNAVAILABLE", "not now") };
const noSuchTable = { status: 400, body: errorBody("SQL_EXECUTION_ERROR", "table 'known' not found") };

/** Replaces right answers to the query, which are counted from 1. */
function insteadOf(answer: (nth: number) => Said | undefined): Fault {
  return {
    name: "answersOtherwise",
    wrap(wire, fired) {
      let right = 0;
      return sqlFault("answersOtherwise", async (sql, _, exchange) => {
        if (!/FROM \S+\.known ORDER/.test(sql) || (await exchange())?.status !== 200) return undefined;
        right += 1;
        return answer(right);
      }).wrap(wire, fired);
    },
  };
}

type Was = "ready" | "closed" | "lost" | "wrong" | "late" | "none";

const texts = {
  ready: "200",
  closed: "503 SERVICE_UNAVAILABLE",
  lost: "reset",
  wrong: "200 with 0 rows",
  late: "timeout",
  none: "403",
};
/** One after the other, one every 50 ms. */
const row = (of: "health" | "query", ...was: readonly Was[]) =>
  was.map((one, at) => ({ of, was: one, text: texts[one], exchange: at + 1, sentAt: at * 50, doneAt: at * 50 + 5 }));
const times = <T>(count: number, what: T): T[] => Array.from({ length: count }, () => what);
const health = row("health", ...times<Was>(4, "closed"), ...times<Was>(8, "ready"));
const queries = row("query", ...times<Was>(4, "closed"), ...times<Was>(8, "ready"));
const pace = { waitedMs: 440, controlMs: 10 };
const sound = { restart: stopped, looks: [...health, ...queries], pace };
const withQueries = (...was: readonly Was[]) => ({ ...sound, looks: [...health, ...row("query", ...was)] });

export default proveCheck(readyMeansReady, {
  holds: [
    sound,
    // A query was sent just before health was well, and one was late.
    withQueries("closed", "closed", "late", "closed", "closed", ...times<Was>(7, "ready")),
    // A line that loses every second answer.
    withQueries("closed", "lost", "closed", "lost", ...times(5, ["ready", "lost"] as const).flat()),
    // One 503 after the first right answer may have been lost on its way.
    withQueries(...times<Was>(4, "closed"), "ready", "closed", ...times<Was>(6, "ready")),
  ],
  cannotTell: [
    { ...sound, restart: notRestarted },
    { ...sound, restart: failed },
    // It was ready before anybody looked.
    withQueries("closed", ...times<Was>(9, "ready")),
    withQueries(...times<Was>(4, "closed"), "ready", "ready"),
    withQueries(...times<Was>(3, "closed"), "wrong", ...times<Was>(8, "ready")),
    { ...sound, looks: [...row("health", ...times<Was>(12, "none")), ...queries] },
    withQueries(...times<Was>(4, "late")),
    // Healthy, and then three queries are lost on their way.
    withQueries(...times<Was>(4, "closed"), ...times<Was>(3, "lost")),
  ],
  breaks: {
    healthyButRefusing: {
      seen: withQueries(...times<Was>(8, "closed"), ...times<Was>(8, "ready")),
      fault: damaged(
        "healthBeforeSql=700",
        insteadOf((nth) => (nth <= 8 ? unavailable : undefined)),
      ),
    },
    wrongAnswerEarly: {
      seen: withQueries(...times<Was>(4, "closed"), ...times<Was>(3, "wrong"), ...times<Was>(8, "ready")),
      fault: damaged(
        "emptyAtFirst=500",
        insteadOf((nth) => (nth <= 4 ? noSuchTable : undefined)),
      ),
    },
    slowStart: {
      seen: { ...sound, restart: { ...stopped, answeredMs: 31_000 }, pace: { waitedMs: 31_000, controlMs: 10 } },
      fault: lifecycleFault("startedLongAgo", (lifecycle, fired) => ({
        async start(...how) {
          const started = await lifecycle.start(...how);
          if (started.kind === "notReady") return started;
          fired();
          return { ...started, startedAt: started.startedAt - 31_000, readyMs: started.readyMs + 31_000 };
        },
      })),
    },
    relapsed: {
      seen: withQueries(
        ...times<Was>(4, "closed"),
        ...times<Was>(3, "ready"),
        "closed",
        "closed",
        ...times<Was>(6, "ready"),
      ),
      says: /^(GET \/health|a query) got \d+ times, from \d+ ms after the first right answer/,
      fault: damaged(
        "relapse=500",
        insteadOf((nth) => (nth > 3 && nth <= 9 ? unavailable : undefined)),
      ),
    },
  },
  mayBeLost: [
    { what: /^SELECT (id, mark|1 AS up|metric_name)/, because: "one look of many, or it is asked again" },
    { what: /^GET \/health/, because: "one look of many" },
  ],
});
