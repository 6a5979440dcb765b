import { expect, test } from "vitest";
import { stopped } from "../../durability/evidence.ts";
import { readyMeansReady } from "./index.ts";

type Was = "ready" | "closed" | "lost";

function verdict(...queries: readonly Was[]): string {
  const row = (of: "health" | "query", all: readonly Was[]) =>
    all.map((was, at) => ({ of, was, text: was, exchange: at + 1, sentAt: at * 50, doneAt: at * 50 + 5 }));
  const health = row("health", ["closed", "closed", "ready", "ready", "ready", "ready", "ready", "ready"]);
  const seen = { restart: stopped, looks: [...health, ...row("query", queries)], pace: { waitedMs: 1, controlMs: 1 } };
  const judged = readyMeansReady.judge(seen, { readyWithinMs: 30_000 });
  return judged.kind === "fail" ? judged.found.map(({ name }) => name).join() : judged.kind;
}

const [start, up]: [Was[], Was[]] = [
  ["closed", "closed", "closed"],
  ["ready", "ready", "ready", "ready", "ready"],
];

test("lost answers are a relapse only where four come in a row, the server's own words where there are two", () => {
  expect(verdict(...start, ...up, "lost", "lost", "lost", "ready", "lost", "lost", "lost")).toBe("pass");
  expect(verdict(...start, ...up, "lost", "lost", "lost", "lost", "ready")).toBe("relapsed");
  expect(verdict(...start, ...up, "lost", "lost", "closed", "lost")).toBe("relapsed");
  expect(verdict(...start, ...up, "closed", "ready", "ready")).toBe("pass");
  expect(verdict(...start, ...up, "closed", "ready", "closed")).toBe("relapsed");
});

test("queries lost after GET /health reported healthy are refusals only where four come in a row", () => {
  expect(verdict(...start, "lost", "lost", "lost", ...up)).toBe("pass");
  expect(verdict(...start, "lost", "lost", "lost", "lost", ...up)).toBe("healthyButRefusing");
  expect(verdict(...start, "closed", "closed", ...up)).toBe("healthyButRefusing");
});
