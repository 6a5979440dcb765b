import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { mostTogether } from "../../../src/history/overlap.ts";
import { onlyRow } from "../../../src/server/target.ts";
import { lookedTwice } from "../../vocabulary/second-look.ts";
import { makeTable } from "../../vocabulary/tables.ts";

const accountCount = 5;
/** An account that sends nothing overlaps with nobody. */
const accountsMin = 4;
/** Without two concurrent queries there is nothing to mix up. */
const overlapsMin = 2;

type Asked = {
  readonly as: string;
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
  description: `Sends fifty concurrent queries from ${accountCount} accounts: every fourth for a literal of its own, the others for the row that the account has in a USER table, with one statement for all. Each must return that literal or that row. What gets no answer is asked again one by one, and then all at once: it is lost to concurrency only if concurrent queries lose answers twice and queries one by one none.`,
  blindTo:
    "Fifty concurrent queries are no load test: they show that answers are not mixed up, not how many the server can take.",
  risk: "One user sees the data of another.",
  remedy: "Look for a proxy or connection pool that reuses a connection before its last answer has been read.",
  covers: ["CFG-04"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: accountCount },
  estimateMs: 800,
  estimateRequests: 56,
  findings: {
    mixedUp: { say: (d: { asked: string; got: string }) => `a query for ${d.asked} was answered with ${d.got}` },
    lostAnswer: {
      say: (d: { lost: number; of: number; outcome: string }) =>
        lookedTwice(
          `${d.lost} of ${d.of} concurrent queries got no valid answer, and each of them did alone: ${d.outcome}`,
        ),
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
    const count = context.size({ light: 30, standard: 50, deep: 200 });
    const literals = Array.from({ length: count }, (_, at) => `${at}-${Math.floor(random() * 1e9)}`);
    const table = await makeTable(target, context, await target.account("dba"), `${context.scratch}.parallel`, {
      columns: "id BIGINT PRIMARY KEY, mine TEXT",
    });
    const owners = accounts.map((as, at) => ({ as, text: `row of account ${at}, ${Math.floor(random() * 1e9)}` }));
    // One by one: a server that loses concurrent requests would end it here.
    for (const { as, text } of owners)
      context.need(await target.sql(as, `INSERT INTO ${table} (id, mine) VALUES (1, '${text}')`), "no row was written");
    const ask = async (literal: string, at: number): Promise<Asked> => {
      const owner = owners[at % owners.length];
      const [as, sql, expected] =
        owner === undefined || at % 4 === 0
          ? [accounts[at % accounts.length] ?? target.login, `SELECT '${literal}' AS mine`, literal]
          : [owner.as, `SELECT mine FROM ${table} WHERE id = 1`, owner.text];
      const answer = await target.sql(as, sql);
      const mine = onlyRow(answer)?.["mine"];
      return {
        as: as?.name ?? "",
        asked: expected,
        got: answer.kind === "ok" ? (typeof mine === "string" ? mine : JSON.stringify(mine ?? null)) : null,
        outcome: answer.kind === "ok" ? "" : answer.message,
        status: answer.status ?? null,
        kind: answer.kind,
        from: answer.sentAt,
        to: answer.doneAt,
        exchange: answer.exchange,
      };
    };
    const together = async (): Promise<Asked[]> => await Promise.all(literals.map(ask));
    const asked = await together();
    const alone: Asked[] = [];
    if (!asked.some(isLost)) return { asked, alone, again: [] };
    for (const [at, literal] of literals.entries()) alone.push(await ask(literal, at));
    return { asked, alone, again: await together() };
  },
  judge({ asked, alone, again }, { found }) {
    const of = asked.length;
    const mixed = [...asked, ...again].filter((one) => one.got !== null && one.got !== one.asked);
    const lost = asked.filter(isLost);
    const isLostToOthers = again.some(isLost) && alone.length >= of && !alone.some(isLost);
    for (const one of mixed.slice(0, 1)) found.mixedUp({ asked: one.asked, got: one.got ?? "" }, { sent: mixed });
    for (const { outcome } of isLostToOthers ? lost.slice(0, 1) : [])
      found.lostAnswer({ lost: lost.length, of, outcome }, { sent: [...lost, ...again.filter(isLost)] });
    if (lost.length > 0)
      return unknown(
        `${lost.length} of ${of} queries got no answer, and that may be by chance: ${lost[0]?.outcome ?? ""}`,
      );
    const refused = asked.filter((one) => one.kind === "refused");
    if (refused.length > 0)
      return unknown(`${refused.length} of ${of} queries were rejected: ${refused[0]?.outcome ?? ""}`);
    const concurrent = mostTogether(asked.map(({ from, to }) => ({ invokedAt: from, returnedAt: to })));
    if (concurrent < overlapsMin) return unknown(`no two of the ${of} queries overlapped`);
    const accounts = new Set(asked.map(({ as }) => as)).size;
    if (accounts < accountsMin) return unknown(`only ${accounts} of ${accountCount} accounts sent queries`);
    return pass(`${of} of ${of} answers correct, from ${accounts} accounts, up to ${concurrent} concurrent`);
  },
});

/** A rate limit is an answer; a server error, a broken connection and an unreadable answer are not. */
function isLost({ kind }: Asked): boolean {
  return kind === "unsure";
}
