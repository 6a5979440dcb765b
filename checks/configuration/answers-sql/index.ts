import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { outcomeOf, type Answer } from "../../../src/server/target.ts";

type Try = {
  readonly kind: Answer["kind"];
  readonly outcome: string;
  readonly columns: readonly string[];
  readonly cells: readonly string[];
  readonly results: number;
  readonly tookMs: number | null;
  readonly exchange: number;
};

/** Fewer would not show that later connections are served as well as the first. */
const triesMin = 3;

export const answersSql = defineCheck({
  id: "configuration/answers-sql",
  title: "The server answers SQL",
  failureTitle: "The server answers a simple query incorrectly",
  description:
    "Sends SELECT 1 AS test_value three times, each over a new connection. Each answer must be one result with one column of that name, one row equal to 1, and the execution time.",
  blindTo: "It uses no tables, no load and no other users: it only shows that a query gets through.",
  risk: "Nothing that uses this server can work.",
  remedy: "Look in the server's log for the rejected query; check the login and any proxy in front of the server.",
  covers: ["CFG-01"],
  touches: "nothing",
  level: "block",
  estimateMs: 50,
  estimateRequests: 3,
  findings: {
    wrongAnswer: {
      say: (d: { outcome: string }) => `SELECT 1 AS test_value returned ${d.outcome}`,
      risk: "Applications get results that are wrong or that their client libraries cannot read.",
      remedy: "Send the query to the server directly; if the answer is correct, a proxy in between changes responses.",
    },
    refused: { say: (d: { outcome: string }) => `SELECT 1 AS test_value was rejected: ${d.outcome}` },
  },
  async observe(target) {
    const tries: Try[] = [];
    for (let n = 0; n < triesMin; n += 1) {
      const answer = await target.sql(target.login, "SELECT 1 AS test_value", { ownConnection: true });
      const [result] = answer.kind === "ok" ? answer.results : [];
      tries.push({
        kind: answer.kind,
        outcome: answer.kind === "ok" ? JSON.stringify(result?.rows ?? []) : outcomeOf(answer),
        columns: result?.columns.map((column) => column.name) ?? [],
        cells: (result?.rows ?? []).flat().map((cell) => JSON.stringify(cell)),
        results: answer.kind === "ok" ? answer.results.length : 0,
        tookMs: answer.kind === "ok" ? answer.tookMs : null,
        exchange: answer.exchange,
      });
    }
    return { tries };
  },
  judge({ tries }, { found }) {
    const wrong = tries.filter((one) => one.kind === "ok" && !isCorrect(one));
    const refused = tries.filter((one) => one.kind === "refused");
    for (const one of wrong.slice(0, 1)) found.wrongAnswer({ outcome: described(one) }, { sent: wrong });
    for (const { outcome } of refused.slice(0, 1)) found.refused({ outcome }, { sent: refused });
    const unsure = tries.find((one) => one.kind === "unsure");
    if (unsure !== undefined) return unknown(`a query got no readable answer: ${unsure.outcome}`);
    if (tries.length < triesMin) return unknown(`only ${tries.length} of ${triesMin} queries were sent`);
    const slowest = Math.max(...tries.map((one) => one.tookMs ?? 0));
    return pass(`${tries.length} of ${tries.length} queries right, at most ${Math.ceil(slowest)} ms on the server`);
  },
});

function isCorrect({ results, columns, cells, tookMs }: Try): boolean {
  const [cell] = cells;
  return (
    results === 1 &&
    columns.length === 1 &&
    columns[0] === "test_value" &&
    cells.length === 1 &&
    (cell === '"1"' || cell === "1") &&
    tookMs !== null
  );
}

function described(one: Try): string {
  if (one.tookMs === null) return "no execution time (took)";
  return `${one.results} results, columns ${JSON.stringify(one.columns)}, cells [${one.cells.join(", ")}]`;
}
