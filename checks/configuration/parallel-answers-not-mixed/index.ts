import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { onlyRow } from "../../../src/server/target.ts";

const accountCount = 5;
/** With fewer at once there was nothing to mix up. */
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
  title: "Queries at the same time get each its own answer",
  failureTitle: "Queries at the same time get another one's answer, or none",
  description: `Sends fifty queries at once from ${accountCount} accounts, each for a literal of its own. Each must come back with its own, and none with an error of the server's.`,
  blindTo: "Fifty at once are no load; it shows that answers are kept apart, not how many the server can take.",
  risk: "One user is shown what another one asked for.",
  remedy:
    "Look for a proxy or a pool between clients and server that reuses connections before they are read to the end.",
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
        `${d.lost} of ${d.of} queries got no answer of theirs: ${d.outcome}`,
    },
  },
  async observe(target, context) {
    const accounts = await Promise.all(
      Array.from({ length: accountCount }, async (_, at) => await target.account("user", String(at))),
    );
    const count = context.size({ light: 20, standard: 50, deep: 200 });
    const asked = await Promise.all(
      Array.from({ length: count }, async (_, at): Promise<Asked> => {
        const literal = `${at}-${Math.floor(context.random("values")() * 1e9)}`;
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
  judge({ asked }) {
    const mixed = asked.filter((one) => one.got !== null && one.got !== one.asked);
    // Told to go slower is an answer; an error of the server's own, a cut or an unreadable one is not.
    const lost = asked.filter((one) => one.kind === "unsure");
    const [wrong] = mixed;
    const [first] = lost;
    const found = [
      ...(wrong === undefined
        ? []
        : [
            {
              name: "mixedUp" as const,
              data: { asked: wrong.asked, got: wrong.got ?? "" },
              sent: mixed.map((one) => one.exchange),
            },
          ]),
      ...(first === undefined
        ? []
        : [
            {
              name: "lostAnswer" as const,
              data: { lost: lost.length, of: asked.length, outcome: first.outcome },
              sent: lost.map((one) => one.exchange),
            },
          ]),
    ];
    if (found.length > 0) return fail(...found);
    const refused = asked.filter((one) => one.kind === "refused");
    if (refused.length > 0)
      return unknown(`${refused.length} of ${asked.length} queries were refused: ${refused[0]?.outcome ?? ""}`);
    const overlaps = mostAtOnce(asked);
    if (overlaps < overlapsMin) return unknown(`no two of the ${asked.length} queries were under way at the same time`);
    return pass(`${asked.length} of ${asked.length} answers right, up to ${overlaps} at the same time`);
  },
});

/** How many were under way at the same moment, at most. */
function mostAtOnce(spans: readonly { readonly from: number; readonly to: number }[]): number {
  const edges = spans.flatMap(({ from, to }) => [
    { at: from, step: 1 },
    { at: to, step: -1 },
  ]);
  let now = 0;
  let most = 0;
  for (const { step } of edges.toSorted((a, b) => a.at - b.at || a.step - b.step)) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}
