import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";
import { cases, internals } from "./cases.ts";

/** Anything slower is sent again: a single slow answer may be caused by the machine that runs the check. */
const secondTryMs = 500;

type Attempt = {
  readonly case: string;
  readonly sql: string;
  readonly op: Said;
  readonly user: Said;
  /** Of the administrator's request; the faster of two where the first was slow. */
  readonly tookMs: number;
  /** A valid query right after it. */
  readonly next: Said;
};

export const syntaxErrorsClear = defineCheck({
  id: "validation/syntax-errors-clear",
  title: "Invalid SQL is rejected quickly, with a clear error",
  failureTitle: "Invalid SQL is accepted, or its error is unclear or slow",
  description: `Sends ${cases.length} invalid statements (misspelt, truncated, unterminated, 2,000 nested parentheses, unknown functions and types, empty), each as an administrator and as a plain user, with a valid query after each. Each must be rejected with a 4xx status, the same error code for both accounts and no server internals; the administrator's message must say what is wrong. Nothing is written apart from the plain user's account.`,
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
      say: (d: { sql: string; tookMs: number }) => `rejecting ${d.sql} took ${d.tookMs} ms`,
      level: "warn",
      risk: "A few invalid statements can keep the server busy.",
      remedy: "Limit the length of statements in a proxy, and set a request timeout in your clients.",
      timed: true,
    },
  },
  async observe(target) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const attempts: Attempt[] = [];
    for (const { name, sql } of cases) {
      const [first, asUser] = await Promise.all([target.sql(op, sql), target.sql(user, sql)]);
      const next = await target.sql(op, "SELECT 1 AS alive");
      let tookMs = first.doneAt - first.sentAt;
      if (tookMs > secondTryMs && first.kind !== "unsure") {
        const second = await target.sql(op, sql);
        tookMs = Math.min(tookMs, second.doneAt - second.sentAt);
      }
      attempts.push({
        case: name,
        sql: sql.length > 60 ? `${sql.slice(0, 30)}…` : JSON.stringify(sql),
        op: saidOf(first),
        user: saidOf(asUser),
        tookMs: Math.round(tookMs),
        next: saidOf(next),
      });
    }
    return { attempts };
  },
  judge({ attempts }, { found, limits: { refusalMsMax } }) {
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
        const message = said.message.slice(0, 300);
        if (what !== undefined) found.leaksInternals({ sql: one.sql, what, message }, { case: one.case, sent: said });
      }
    const refused = attempts.filter((one) => both(one).every(isCleanRefusal));
    for (const one of refused) {
      const why = whyUnclear(one);
      if (why !== undefined) found.unclear({ sql: one.sql, why }, { case: one.case, sent: one.op });
    }
    for (const one of refused)
      if (one.tookMs > refusalMsMax) found.slow({ sql: one.sql, tookMs: one.tookMs }, { case: one.case, sent: one.op });
    for (const one of attempts) {
      const other = both(one).find((said) => !isCleanRefusal(said));
      if (other !== undefined) return unknown(`${one.case}: not rejected for its SQL: ${outcomeText(other)}`);
    }
    const stuck = attempts.find(({ next }) => next.kind !== "ok");
    if (stuck !== undefined)
      return unknown(`a valid query after "${stuck.case}" was not answered: ${outcomeText(stuck.next)}`);
    if (attempts.length < cases.length)
      return unknown(`only ${attempts.length} of ${cases.length} statements were tried`);
    const slowest = Math.max(...attempts.map(({ tookMs }) => tookMs));
    return pass(
      `${attempts.length} of ${attempts.length} rejected within ${slowest} ms, with the same codes for a dba and a user; the query after each was answered`,
    );
  },
});

function both({ op, user }: Attempt): readonly Said[] {
  return [op, user];
}

function outcomeText({ status, why, message }: Said): string {
  return `${status ?? why} ${message}`;
}

/** A server error or a broken connection. A timeout or 503 is neither. */
function isBroken({ status, why }: Said): boolean {
  return (status !== null && status >= 500 && status !== 503) || ["reset", "cut"].includes(why);
}

/** What makes the error unclear; undefined if it is clear. */
function whyUnclear({ case: name, op, user }: Attempt): string | undefined {
  const explains = cases.find((one) => one.name === name)?.explains;
  if (explains?.test(op.message) === false) return `the error does not say what is wrong: ${op.message}`;
  return op.code === user.code ? undefined : `${op.code} for a dba, ${user.code} for a user`;
}
