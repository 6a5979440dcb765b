import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { outcomeOf, type Answer } from "../../../src/server/target.ts";

/** Their results cannot change, so every answer must be identical. */
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
/** With fewer runs an occasional difference would go unnoticed. */
const runsMin = 5;
const keptAnswers = 5;

type Shown = {
  readonly query: string;
  /** Each distinct answer and how often it came; at most `keptAnswers` of them. */
  readonly answers: { readonly text: string; times: number; readonly exchange: number }[];
  /** How often the connection broke instead of an answer, how often anything else failed, and the first failure. */
  broken: number;
  failed: number;
  outcome: string;
  exchange: number;
};

export const outputStable = defineCheck({
  id: "cli/output-stable",
  title: "Repeating a query gives an identical result",
  failureTitle: "A query's result varies between runs, or never arrives",
  description: `Sends ${queries.length} queries with constant results twenty times each in turn, every other time over a new connection, and compares names, order and types of the columns and all rows. A query that breaks the connection ${runsMin} times without ever being answered is not sent again.`,
  blindTo: "It selects literals and columns only, so that nothing is touched; rows of tables are not compared.",
  risk: "A script that reads the second column by position gets another column after a reconnect.",
  remedy: "Name the columns in every query, add ORDER BY, and read columns by name.",
  covers: ["CLI-07"],
  touches: "nothing",
  level: "block",
  estimateMs: 2_000,
  estimateRequests: queries.length * 20,
  from: { effort: "standard", needs: "many repetitions of a query" },
  findings: {
    neverAnswered: {
      say: (d: { query: string; of: number; outcome: string }) =>
        `${d.query}: the connection broke ${d.of} of ${d.of} times, while other queries were answered: ${d.outcome}`,
      risk: "Clients lose the connection with this query, and a retry loses the next one.",
      remedy: "Rewrite the query until it is answered, and report its text to the KalamDB maintainers.",
    },
    changed: {
      say: (d: { query: string; first: string; other: string; times: number; of: number }) =>
        `${d.query}: ${d.times} of ${d.of} answers were ${d.other} instead of ${d.first}`,
    },
  },
  async observe(target, context) {
    const runs = context.size({ light: 7, standard: 20, deep: 80 });
    const asked = queries.map(({ name: query, sql }) => ({
      sql,
      seen: { query, answers: [], broken: 0, failed: 0, outcome: "", exchange: 0 } as Shown,
    }));
    for (let n = 0; n < runs; n += 1) {
      // From another query each time, so that what is lost at intervals is not always the same one.
      const from = n % asked.length;
      for (const { sql, seen } of [...asked.slice(from), ...asked.slice(0, from)]) {
        // Breaking connections harms the server; a few times are enough to see that it always happens.
        if (onlyBreaks(seen)) continue;
        const answer = await target.sql(target.login, sql, n % 2 === 0 ? {} : { ownConnection: true });
        if (answer.kind === "ok") {
          const text = textOf(answer);
          const known = seen.answers.find((other) => other.text === text);
          if (known !== undefined) known.times += 1;
          else if (seen.answers.length < keptAnswers) seen.answers.push({ text, times: 1, exchange: answer.exchange });
          continue;
        }
        if (answer.kind === "unsure" && (answer.because === "reset" || answer.because === "cut")) seen.broken += 1;
        else seen.failed += 1;
        if (seen.outcome === "") Object.assign(seen, { outcome: outcomeOf(answer), exchange: answer.exchange });
      }
    }
    return { runs, shown: asked.map(({ seen }) => seen) };
  },
  judge({ runs, shown }, { found }) {
    for (const { query, answers } of shown) {
      const [first, other] = answers.toSorted((a, b) => b.times - a.times);
      if (first !== undefined && other !== undefined)
        found.changed(
          { query, first: first.text, other: other.text, times: other.times, of: runs },
          { case: query, sent: answers },
        );
    }
    // A single break may be chance. Breaking every time, while another query is always answered in between, is not.
    const otherAnswered = shown.some(({ broken, failed }) => broken + failed === 0);
    for (const one of otherAnswered ? shown.filter(onlyBreaks) : []) {
      const { query, broken, outcome } = one;
      found.neverAnswered({ query, of: broken, outcome }, { case: query, sent: one });
    }
    const failed = shown.find((one) => one.broken + one.failed > 0);
    if (failed !== undefined) return unknown(`${failed.query}: ${failed.outcome}`);
    if (runs < runsMin || shown.length < queries.length || shown.some(({ answers }) => answers[0]?.times !== runs))
      return unknown(`only ${shown.length} of ${queries.length} queries were sent, ${runs} times each`);
    return pass(`${shown.length} queries, ${runs} runs each: all results identical`);
  },
});

/** Never answered, and often enough to say that this is no chance. */
function onlyBreaks({ answers, broken, failed }: Shown): boolean {
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

/** The order of keys in an object does not matter. */
function sorted(type: unknown): unknown {
  if (typeof type !== "object" || type === null || Array.isArray(type)) return type;
  return Object.fromEntries(
    Object.entries(type)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, sorted(value)]),
  );
}
