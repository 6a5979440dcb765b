import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { outcomeOf, type Answer } from "../../../src/server/target.ts";

/** Nothing in them changes by itself: what comes back must be the same to the letter. */
const queries: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: "values of many types",
    sql: "SELECT 'zeta' AS z, 1 AS a, 2.5 AS m, TRUE AS b, CAST('2026-01-02' AS DATE) AS d, 'ü€😀' AS u, NULL AS n",
  },
  { name: "a NULL of type TEXT", sql: "SELECT CAST(NULL AS TEXT) AS t, CAST(NULL AS INT) AS i" },
  {
    name: "groups in order",
    sql: "SELECT v, COUNT(*) AS c, SUM(n) AS s FROM (SELECT 'a' AS v, 1 AS n UNION ALL SELECT 'b' AS v, 2 AS n UNION ALL SELECT 'a' AS v, 3 AS n) few GROUP BY v ORDER BY v",
  },
  { name: "columns of a view", sql: "SELECT * FROM information_schema.tables LIMIT 0" },
];
/** Fewer runs would miss what happens now and then. */
const runsMin = 5;

type Shown = {
  readonly query: string;
  /** Each different answer with how often it came; at most `keptAnswers` of them. */
  readonly answers: readonly { readonly text: string; readonly times: number; readonly exchange: number }[];
  /** How often the connection broke instead of an answer, and how often something else went wrong; with the first of either. */
  readonly broken: number;
  readonly failed: number;
  readonly outcome: string;
  readonly exchange: number;
};
const keptAnswers = 5;

export const outputStable = defineCheck({
  id: "cli/output-stable",
  title: "The same query comes back the same to the letter",
  failureTitle: "An answer differs from run to run, or never comes",
  description: `Sends ${queries.length} queries whose answers cannot change twenty times each in turn, half of them over new connections, and compares names, order and types of the columns and all rows. One that breaks the connection ${runsMin} times and was never answered is not sent again.`,
  blindTo:
    "It asks for literals and columns only, so that nothing is touched; rows of tables are for the checks that write some.",
  risk: "A script that takes the second column gets another one after a restart of the client.",
  remedy: "Name the columns in every query, add ORDER BY, and read columns by name.",
  covers: ["CLI-07"],
  touches: "nothing",
  level: "block",
  estimateMs: 2_000,
  estimateRequests: queries.length * 20,
  findings: {
    neverAnswered: {
      say: (d: { query: string; of: number; outcome: string }) =>
        `${d.query}: the connection broke ${d.of} of ${d.of} times, while other queries were answered: ${d.outcome}`,
    },
    changed: {
      say: (d: { query: string; first: string; other: string; times: number; of: number }) =>
        `${d.query}: ${d.times} of ${d.of} answers were ${d.other} instead of ${d.first}`,
    },
  },
  async observe(target, context) {
    const runs = context.size({ light: 7, standard: 20, deep: 80 });
    const shown = queries.map(({ name: query }) => ({
      query,
      answers: [] as { text: string; times: number; exchange: number }[],
      broken: 0,
      failed: 0,
      outcome: "",
      exchange: 0,
    }));
    for (let n = 0; n < runs; n += 1) {
      for (const [at, { sql }] of queries.entries()) {
        const one = shown[at];
        // What breaks connections harms the server; to see that it does so each time, a few times are enough.
        if (one !== undefined && onlyBreaks(one)) continue;
        const answer = await target.sql(target.login, sql, n % 2 === 0 ? {} : { ownConnection: true });
        if (one === undefined) continue;
        if (answer.kind === "ok") {
          const text = textOf(answer);
          const known = one.answers.find((other) => other.text === text);
          if (known !== undefined) known.times += 1;
          else if (one.answers.length < keptAnswers) one.answers.push({ text, times: 1, exchange: answer.exchange });
          continue;
        }
        if (answer.kind === "unsure" && (answer.because === "reset" || answer.because === "cut")) one.broken += 1;
        else one.failed += 1;
        if (one.outcome === "") Object.assign(one, { outcome: outcomeOf(answer), exchange: answer.exchange });
      }
    }
    const told: readonly Shown[] = shown;
    return { runs, shown: told };
  },
  judge({ runs, shown }) {
    const changed = shown
      .filter(({ answers }) => answers.length > 1)
      .map(({ query, answers }) => {
        const [first, other] = answers.toSorted((a, b) => b.times - a.times);
        const data = { query, first: first?.text ?? "", other: other?.text ?? "", times: other?.times ?? 0, of: runs };
        return { name: "changed" as const, case: query, data, sent: answers.map((one) => one.exchange) };
      });
    // A connection may break; each one that asks this, and none that asks something else in between, does not break by chance.
    const sound = shown.some(({ broken, failed }) => broken + failed === 0);
    const never = shown
      .filter((one) => sound && onlyBreaks(one))
      .map(({ query, broken, outcome, exchange }) => ({
        name: "neverAnswered" as const,
        case: query,
        data: { query, of: broken, outcome },
        sent: [exchange],
      }));
    if (changed.length + never.length > 0) return fail(...changed, ...never);
    const failed = shown.find((one) => one.broken + one.failed > 0);
    if (failed !== undefined) return unknown(`${failed.query}: ${failed.outcome}`);
    if (runs < runsMin || shown.length < queries.length || shown.some(({ answers }) => answers[0]?.times !== runs))
      return unknown(`only ${shown.length} of ${queries.length} queries were sent, ${runs} times each`);
    return pass(`${shown.length} queries, ${runs} times each: one answer each`);
  },
});

/** Often enough to say that it does so each time. */
function onlyBreaks({ answers, broken, failed }: Pick<Shown, "answers" | "broken" | "failed">): boolean {
  return broken >= runsMin && answers.length === 0 && failed === 0;
}

function textOf(answer: Answer & { kind: "ok" }): string {
  return JSON.stringify(
    answer.results.map(({ columns, rows }) => ({
      columns: columns.map(({ name, type, flags }) => [name, sorted(type), flags.join(" ")]),
      rows,
    })),
  );
}

/** Keys of an object have no order of their own. */
function sorted(type: unknown): unknown {
  if (typeof type !== "object" || type === null || Array.isArray(type)) return type;
  return Object.fromEntries(
    Object.entries(type)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, sorted(value)]),
  );
}
