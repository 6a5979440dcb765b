import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Account, type Answer, type Said, truncated } from "../../../src/server/target.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { askedTwice, isPassing, isServerError } from "../../vocabulary/second-look.ts";
import { cases, internals } from "./cases.ts";
import { isLate, paceText, whySlow, type Pace } from "../../vocabulary/pace.ts";

/** Anything slower is sent again: a slow answer may be caused by the machine that runs the check. */
const againMs = 500;
const triesMax = 3;
/** Fewer show too little. */
const casesMin = 8;

type Attempt = {
  readonly case: string;
  readonly sql: string;
  readonly op: Said;
  readonly user: Said;
  /** Of the administrator's request, the fastest where it was sent again; beside the valid queries that followed. */
  readonly pace: Pace;
  /** A valid query right after it. */
  readonly next: Said;
};

export const syntaxErrorsClear = defineCheck({
  id: "validation/syntax-errors-clear",
  title: "Invalid SQL is rejected quickly, with a clear error",
  failureTitle: "Invalid SQL is accepted, or its error is unclear or slow",
  description: `Sends ${cases.length} invalid statements, or a third of them at light effort (misspelt, truncated, unterminated, 2,000 nested parentheses, unknown functions and types, empty), each as an administrator and as a plain user, with a valid query after each. Each must be rejected with a 4xx status, the same error code for both accounts and no server internals; the administrator's message must say what is wrong. Nothing is written apart from the plain user's account.`,
  blindTo:
    "Server internals are recognized by a few patterns (panics, backtraces, source files, paths, memory addresses); others go unnoticed.",
  risk: "A typo takes hours to find instead of seconds.",
  remedy:
    "Log the statements that your programs send, since the server's errors do not explain what is wrong with them.",
  covers: ["VAL-01"],
  // The statements change nothing, but the plain user has to be created.
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, dba: 1 },
  estimateMs: 700,
  estimateRequests: 3 * cases.length,
  limits: { refusalMsMax: 1_000 },
  findings: {
    accepted: {
      say: (d: { sql: string }) => `${d.sql} was accepted`,
      risk: "A mistyped statement is taken for one that succeeded.",
      remedy: "Check the result of each statement, not only its status, until this is fixed.",
    },
    serverError: {
      say: (d: { sql: string; outcome: string }) => `${d.sql}: ${d.outcome}`,
      risk: "A single invalid statement can disturb other clients.",
      remedy: "Report the statement to KalamDB, and keep untrusted SQL away from the server until it is fixed.",
    },
    leaksInternals: {
      say: (d: { sql: string; what: string; message: string }) =>
        `the error for ${d.sql} contains ${d.what}: ${d.message}`,
      risk: "Error messages show attackers how the server is built and where its files are.",
      remedy: "Do not pass the server's error messages on to end users.",
    },
    unclear: { say: (d: { sql: string; why: string }) => `${d.sql}: ${d.why}`, level: "warn" },
    slow: {
      say: (d: { sql: string; pace: Pace }) => `rejecting ${d.sql} took ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
      level: "warn",
      risk: "A few invalid statements can keep the server busy.",
      remedy: "Limit the length of statements in a proxy, and set a request timeout in your clients.",
      timed: true,
    },
  },
  async observe(target, context) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const attempts: Attempt[] = [];
    const some = sampleAtLight(context, cases, 3, ({ sql }) =>
      /^(SELEC 1|SELECT 'open|SELECT 1 \+|SELECT \({2000}.*)$/s.test(sql),
    );
    for (const { name, sql } of some) {
      const alive = async () => (await askedTwice(async () => await target.sql(op, "SELECT 1 AS alive"), isLost)).last;
      // A connection that breaks once may have broken by chance.
      const tell = async (as: Account) => (await askedTwice(async () => await target.sql(as, sql), isLost, alive)).last;
      const [first, asUser] = await Promise.all([tell(op), tell(user)]);
      const next = await alive();
      let [waitedMs, controlMs] = [tookMs(first), tookMs(next)];
      for (let tries = 2; tries <= triesMax && waitedMs > againMs && first.kind !== "unsure"; tries += 1) {
        waitedMs = Math.min(waitedMs, tookMs(await target.sql(op, sql)));
        controlMs = Math.max(controlMs, tookMs(await target.sql(op, "SELECT 1 AS alive")));
      }
      attempts.push({
        case: name,
        sql: sql.length > 60 ? truncated(sql, 30) : JSON.stringify(sql),
        op: saidOf(first),
        user: saidOf(asUser),
        pace: { waitedMs, controlMs },
        next: saidOf(next),
      });
    }
    return { attempts, wanted: some.length };
  },
  judge({ attempts, wanted }, { found, limits: { refusalMsMax } }) {
    for (const one of attempts) {
      const said = both(one).find(({ kind }) => kind === "ok");
      if (said !== undefined) found.accepted({ sql: one.sql }, { case: one.case, sent: said });
    }
    for (const one of attempts) {
      const said = [...both(one), one.next].find(isBroken);
      if (said === undefined) continue;
      const outcome = `${said === one.next ? "the next query: " : ""}${outcomeText(said)}`;
      found.serverError({ sql: one.sql, outcome }, { case: one.case, sent: said });
    }
    for (const one of attempts)
      for (const said of both(one)) {
        const what = internals.find(({ pattern }) => pattern.test(said.message))?.what;
        const message = truncated(said.message, 300);
        if (what !== undefined) found.leaksInternals({ sql: one.sql, what, message }, { case: one.case, sent: said });
      }
    const refused = attempts.filter((one) => both(one).every(isCleanRefusal));
    for (const one of refused) {
      const why = whyUnclear(one);
      if (why !== undefined) found.unclear({ sql: one.sql, why }, { case: one.case, sent: one.op });
    }
    const slow = refused.filter(({ pace }) => pace.waitedMs > refusalMsMax);
    for (const { sql, pace, case: name, op } of slow.filter((one) => isLate(one.pace)))
      found.slow({ sql, pace }, { case: name, sent: op });
    for (const one of attempts) {
      const other = both(one).find((said) => !isCleanRefusal(said));
      if (other !== undefined) return unknown(`${one.case}: not rejected for its SQL: ${outcomeText(other)}`);
    }
    const stuck = attempts.find(({ next }) => next.kind !== "ok");
    if (stuck !== undefined)
      return unknown(`a valid query after "${stuck.case}" was not answered: ${outcomeText(stuck.next)}`);
    if (attempts.length < Math.max(wanted, casesMin))
      return unknown(`only ${attempts.length} of ${cases.length} statements were tried`);
    if (slow[0] !== undefined) return unknown(`${slow[0].case}: ${whySlow(slow[0].pace)}`);
    const slowest = Math.max(...attempts.map(({ pace }) => pace.waitedMs));
    return pass(
      `${attempts.length} of ${cases.length} sent, all rejected within ${slowest} ms, with the same codes for a dba and a user; the query after each was answered`,
    );
  },
});

function tookMs({ sentAt, doneAt }: Answer): number {
  return Math.round(doneAt - sentAt);
}

function both({ op, user }: Attempt): readonly Said[] {
  return [op, user];
}

function outcomeText({ status, why, message }: Said): string {
  return `${status ?? why} ${message}`;
}

/** A server error or, for the second time, a broken connection. A timeout or the 503 of a proxy is neither. */
function isBroken({ status, why }: Said): boolean {
  return isServerError(status) || ["reset", "cut"].includes(why);
}

/** It may be answered when it is asked again. */
function isLost(answer: Answer): boolean {
  return answer.kind === "unsure" && (["reset", "cut"].includes(answer.because) || isPassing(answer.status ?? null));
}

/** What makes the error unclear; undefined if it is clear. */
function whyUnclear({ case: name, op, user }: Attempt): string | undefined {
  const explains = cases.find((one) => one.name === name)?.explains;
  if (explains?.test(op.message) === false) return `the error does not say what is wrong: ${op.message}`;
  return op.code === user.code ? undefined : `${op.code} for a dba, ${user.code} for a user`;
}
