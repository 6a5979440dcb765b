import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
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

/** Fewer would not show that a new connection is served as well as the first. */
const triesMin = 3;

export const answersSql = defineCheck({
  id: "configuration/answers-sql",
  title: "The server answers SQL",
  failureTitle: "The server does not answer a plain query rightly",
  description:
    "Sends SELECT 1 AS test_value three times, each over a connection of its own. Each answer must be one result with one column of that name and one row equal to 1, with the server's own time beside it.",
  blindTo: "It says nothing about tables, load or other users: only that a query gets through and comes back right.",
  risk: "Nothing that builds on this server can work.",
  remedy: "Look at the server's log for the refused query; check the login and what stands between you and the server.",
  covers: ["CFG-01"],
  touches: "nothing",
  level: "block",
  estimateMs: 50,
  estimateRequests: 3,
  findings: {
    wrongAnswer: { say: (d: { outcome: string }) => `SELECT 1 AS test_value was answered with ${d.outcome}` },
    refused: { say: (d: { outcome: string }) => `SELECT 1 AS test_value was refused: ${d.outcome}` },
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
  judge({ tries }) {
    const refused = tries.filter((one) => one.kind === "refused");
    const wrong = tries.filter((one) => one.kind === "ok" && !isRight(one));
    const found = [
      ...wrong
        .slice(0, 1)
        .map((one) => ({ name: "wrongAnswer" as const, data: { outcome: described(one) }, sent: sent(wrong) })),
      ...refused
        .slice(0, 1)
        .map((one) => ({ name: "refused" as const, data: { outcome: one.outcome }, sent: sent(refused) })),
    ];
    if (found.length > 0) return fail(...found);
    const unsure = tries.find((one) => one.kind === "unsure");
    if (unsure !== undefined) return unknown(`a query got no answer that could be read: ${unsure.outcome}`);
    if (tries.length < triesMin) return unknown(`only ${tries.length} of ${triesMin} queries were made`);
    const slowest = Math.max(...tries.map((one) => one.tookMs ?? 0));
    return pass(`${tries.length} of ${tries.length} queries right, at most ${Math.ceil(slowest)} ms in the server`);
  },
});

function isRight(one: Try): boolean {
  const [cell] = one.cells;
  return (
    one.results === 1 &&
    one.columns.length === 1 &&
    one.columns[0] === "test_value" &&
    one.cells.length === 1 &&
    (cell === '"1"' || cell === "1") &&
    one.tookMs !== null
  );
}

function described(one: Try): string {
  if (one.tookMs === null) return "no time (took) beside the rows";
  return `${one.results} results, columns ${JSON.stringify(one.columns)}, cells [${one.cells.join(", ")}]`;
}

function sent(tries: readonly Try[]): number[] {
  return tries.map((one) => one.exchange);
}
