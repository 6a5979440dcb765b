import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, integerText, onlyRow, saidOf, truncated } from "../../../src/server/target.ts";
import { mayBeAProxys } from "../../vocabulary/second-look.ts";

/** Queries of one account are paced; several accounts in turn can follow each other at once. */
const accountCount = 4;
const queriesMin = 20;
/** How many queries at either end are compared. */
const endQueries = 10;
/** A clock that is set by a time server may be corrected by as much. */
const backMsMin = 1;
/** Below it, a longer time says nothing about the server. */
const slowMsMin = 20;

type Asked = {
  readonly asked: string;
  readonly got: string | null;
  readonly said: ReturnType<typeof saidOf>;
  /** The server's own time, in nanoseconds, microseconds or milliseconds; null if it was not told. */
  readonly time: string | null;
  readonly tookMs: number;
};

export const rapidQueriesAllServed = defineCheck({
  id: "backpressure/rapid-queries-all-served",
  title: "Queries sent back to back are all answered",
  failureTitle: "Queries sent back to back fail, or slow the server down",
  description: `Sends fifty queries one right after the other (twenty at light effort, 300 at deep), each for a literal of its own and the server's time. Each must be answered with its own literal, the times must not go back, and the last ${endQueries} queries must not take much longer than the first.`,
  blindTo: "One query at a time is no concurrent load, and the queries read no table.",
  risk: "A program that sends many small queries gets wrong answers or errors.",
  remedy: "Look in the server's log for the failed queries, and send several small queries as one.",
  covers: ["BP-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 700,
  estimateRequests: 50,
  from: { effort: "standard", needs: "many queries back to back" },
  limits: { slowdownMax: 4 },
  findings: {
    failed: {
      say: (d: { failed: number; of: number; first: string }) => `${d.failed} of ${d.of} queries failed: ${d.first}`,
    },
    timeWentBack: {
      say: (d: { backMs: number; times: number; of: number }) =>
        `the server's time went back ${d.times} times in ${d.of} queries, by up to ${Math.round(d.backMs)} ms`,
      risk: "Rows that are ordered by a time that the server sets come in the wrong order.",
      remedy: "Let a time server slew the clock instead of setting it, and order rows by a counter.",
    },
    slowsDown: {
      say: (d: { firstMs: number; lastMs: number }) =>
        `the first ${endQueries} queries took ${d.firstMs} ms each, the last ${endQueries} ${d.lastMs} ms (medians)`,
      level: "warn",
      timed: "trend",
      risk: "The longer a program runs, the slower the server becomes.",
      remedy: "Watch the memory and the open queries of the server while many small queries arrive.",
    },
  },
  async observe(target, context) {
    const accounts = await Promise.all(
      Array.from({ length: accountCount }, async (_, at) => await target.account("user", `asker ${at}`)),
    );
    const random = context.random("literals");
    const count = context.size({ light: 20, standard: 50, deep: 300 });
    const queries: Asked[] = [];
    for (let at = 0; at < count; at += 1) {
      const asked = `${at}-${Math.floor(random() * 1e9)}`;
      const as = accounts[at % accountCount] ?? target.login;
      const answer = await target.sql(as, `SELECT '${asked}' AS mine, NOW() AS now`);
      const row = onlyRow(answer);
      queries.push({
        asked,
        got: answer.kind === "ok" ? cellText(row?.["mine"] ?? null) : null,
        said: saidOf(answer),
        time: integerText(row?.["now"]) ?? null,
        tookMs: answer.doneAt - answer.sentAt,
      });
    }
    return { queries };
  },
  judge({ queries }, { found, limits }) {
    const of = queries.length;
    const failed = queries.filter(({ asked, got, said }) => (got === null ? isFailure(said) : got !== asked));
    const [first] = failed;
    if (first !== undefined) {
      const text =
        first.got === null ? outcomeText(first.said) : `a query for ${first.asked} was answered with ${first.got}`;
      found.failed({ failed: failed.length, of, first: text }, { sent: failed.map(({ said }) => said) });
    }
    const timed = queries.filter(({ time }) => time !== null && time.length >= millisDigits);
    const back = timed
      .slice(1)
      .map((one, at) => ({ one, before: timed[at] ?? one }))
      .map((step) => ({ ...step, backMs: millisBetween(step.one.time ?? "", step.before.time ?? "") }))
      .filter(({ backMs }) => backMs > backMsMin);
    const [worst] = back.toSorted((a, b) => b.backMs - a.backMs);
    if (worst !== undefined)
      found.timeWentBack(
        { backMs: worst.backMs, times: back.length, of },
        { sent: [worst.before.said, worst.one.said] },
      );
    const answered = queries.filter(({ got }) => got !== null);
    const [firstMs, lastMs] = [medianMs(answered.slice(0, endQueries)), medianMs(answered.slice(-endQueries))];
    if (answered.length >= queriesMin && lastMs > Math.max(slowMsMin, firstMs * limits.slowdownMax))
      found.slowsDown({ firstMs, lastMs });

    if (answered.length < of || of < queriesMin)
      return unknown(`only ${answered.length} of ${of} queries were answered; at least ${queriesMin} are needed`);
    if (timed.length < of) return unknown(`only ${timed.length} of ${of} answers had the server's time`);
    return pass(
      `${of} of ${of} queries answered, the times never went back; the first took ${firstMs} ms, the last ${lastMs} ms (medians of ${endQueries})`,
    );
  },
});

/** Milliseconds since 1970 have as many digits; more are fractions. */
const millisDigits = 13;

/** How much later the second time is, in milliseconds. */
function millisBetween(one: string, other: string): number {
  const width = Math.max(one.length, other.length);
  const difference = BigInt(other.padEnd(width, "0")) - BigInt(one.padEnd(width, "0"));
  return Number(difference) / 10 ** (width - millisDigits);
}

/** A rate limit is an answer, and no answer is none; an error is a failure. */
function isFailure(said: Asked["said"]): boolean {
  const { kind, status, why } = said;
  if (status === null || why === "rate" || why === "login" || mayBeAProxys(said)) return false;
  return kind === "refused" || status >= 400 || why === "malformed";
}

function outcomeText({ status, code, message }: Asked["said"]): string {
  return truncated(`${status ?? "no answer"} ${code} ${message}`.replace(/ +/g, " "), 200);
}

function medianMs(queries: readonly Asked[]): number {
  const sorted = queries.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}
