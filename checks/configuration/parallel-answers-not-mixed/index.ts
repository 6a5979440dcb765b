import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { onlyRow } from "../../../src/server/target.ts";

const accountCount = 5;
/** Without two concurrent queries there is nothing to mix up. */
const overlapsMin = 2;

type Asked = {
  readonly asked: string;
  readonly got: string | null;
  readonly outcome: string;
  /** Null where no status line came. */
  readonly status: number | null;
  readonly kind: "ok" | "refused" | "unsure";
  readonly from: number;
  readonly to: number;
  readonly exchange: number;
};

export const parallelAnswersNotMixed = defineCheck({
  id: "configuration/parallel-answers-not-mixed",
  title: "Concurrent queries each get their own answer",
  failureTitle: "A concurrent query gets another one's answer, or none",
  description: `Sends fifty concurrent queries from ${accountCount} accounts, each for a literal of its own. Each must return that literal, and none may end with a server error.`,
  blindTo:
    "Fifty concurrent queries are no load test: they show that answers are not mixed up, not how many the server can take.",
  risk: "One user sees the data of another.",
  remedy: "Look for a proxy or connection pool that reuses a connection before its last answer has been read.",
  covers: ["CFG-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 800,
  estimateRequests: 50,
  findings: {
    mixedUp: { say: (d: { asked: string; got: string }) => `a query for ${d.asked} was answered with ${d.got}` },
    lostAnswer: {
      say: (d: { lost: number; of: number; outcome: string }) =>
        `${d.lost} of ${d.of} queries got no valid answer: ${d.outcome}`,
      risk: "Requests fail as soon as several users send queries at the same time.",
      remedy:
        "Look in the logs of the server and of any proxy for the failed requests, and check their connection limits.",
    },
  },
  async observe(target, context) {
    const accounts = await Promise.all(
      Array.from({ length: accountCount }, async (_, at) => await target.account("user", String(at))),
    );
    const random = context.random("values");
    const count = context.size({ light: 20, standard: 50, deep: 200 });
    const literals = Array.from({ length: count }, (_, at) => `${at}-${Math.floor(random() * 1e9)}`);
    const asked = await Promise.all(
      literals.map(async (literal, at): Promise<Asked> => {
        const answer = await target.sql(accounts[at % accounts.length] ?? target.login, `SELECT '${literal}' AS mine`);
        const mine = onlyRow(answer)?.["mine"];
        return {
          asked: literal,
          got: answer.kind === "ok" ? (typeof mine === "string" ? mine : JSON.stringify(mine ?? null)) : null,
          outcome: answer.kind === "ok" ? "" : answer.message,
          status: answer.status ?? null,
          kind: answer.kind,
          from: answer.sentAt,
          to: answer.doneAt,
          exchange: answer.exchange,
        };
      }),
    );
    return { asked };
  },
  judge({ asked }, { found }) {
    const of = asked.length;
    const mixed = asked.filter((one) => one.got !== null && one.got !== one.asked);
    // A rate limit is an answer; a server error, a broken connection and an unreadable answer are not.
    const lost = asked.filter((one) => one.kind === "unsure");
    for (const one of mixed.slice(0, 1)) found.mixedUp({ asked: one.asked, got: one.got ?? "" }, { sent: mixed });
    for (const { outcome } of lost.slice(0, 1)) found.lostAnswer({ lost: lost.length, of, outcome }, { sent: lost });
    const refused = asked.filter((one) => one.kind === "refused");
    if (refused.length > 0)
      return unknown(`${refused.length} of ${of} queries were rejected: ${refused[0]?.outcome ?? ""}`);
    const concurrent = Math.max(
      0,
      ...asked.map((one) => asked.filter(({ from, to }) => from <= one.from && one.from < to).length),
    );
    if (concurrent < overlapsMin) return unknown(`no two of the ${of} queries overlapped`);
    return pass(`${of} of ${of} answers correct, up to ${concurrent} concurrent`);
  },
});
