import { expect, test } from "vitest";
import { stopped } from "../../durability/evidence.ts";
import { judged } from "../../vocabulary/evidence.ts";
import { readyMeansReady } from "./index.ts";

type Was = "ready" | "closed" | "lost";

function verdict(...queries: readonly Was[]): string {
  const row = (of: "health" | "query", all: readonly Was[]) =>
    all.map((was, at) => ({ of, was, text: was, exchange: at + 1, sentAt: at * 50, doneAt: at * 50 + 5 }));
  const health = row("health", ["closed", "closed", "ready", "ready", "ready", "ready", "ready", "ready"]);
  const seen = { restart: stopped, looks: [...health, ...row("query", queries)], pace: { waitedMs: 1, controlMs: 1 } };
  const concluded = readyMeansReady.judge(seen, { readyWithinMs: 30_000 });
  return concluded.kind === "fail" ? concluded.found.map(({ name }) => name).join() : concluded.kind;
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

type Seen = Parameters<typeof readyMeansReady.judge>[0];
type Look = Seen["looks"][number];
/** Queries at these moments, with `first` as the first right answer, from 200 ms to 205 ms; healthy after 105 ms. */
const health = { of: "health" as const, was: "ready" as const, text: "200", exchange: 1, sentAt: 100, doneAt: 105 };
const query = (was: Look["was"], sentAt: number, text: string = was): Look => ({
  ...health,
  of: "query",
  was,
  text,
  exchange: sentAt,
  sentAt,
  doneAt: sentAt + 5,
});
const early = [query("closed", 0), query("closed", 50)];
const right = [200, 250, 300, 350, 400].map((at) => query("ready", at));
const pace = { waitedMs: 1, controlMs: 1 };
const judge = (queries: readonly Look[], change: Partial<Seen> = {}): string[] =>
  judged(readyMeansReady, { restart: stopped, looks: [health, ...queries], pace, ...change });
const [pass, unknown] = [[expect.stringMatching(/^pass/)], [expect.stringMatching(/^unknown/)]];

test("two wrong answers are the server's, one is not", () => {
  expect(judge([...early, query("wrong", 60, "a"), query("wrong", 80, "b"), ...right])).toEqual([
    'wrongAnswerEarly: {"times":2,"atMs":65,"text":"a"}',
  ]);
  expect(judge([...early, query("wrong", 60, "a"), ...right])).toEqual([
    "unknown: one query, and no other, was answered: a",
  ]);
});

test("refusals count from the moment of the healthy answer to that of the first right one", () => {
  expect(judge([...early, query("closed", 105, "a"), query("closed", 150, "b"), ...right])).toEqual([
    'healthyButRefusing: {"times":2,"healthyMs":105,"lastMs":155,"text":"a"}',
  ]);
  expect(judge([...early, query("closed", 104), query("closed", 150), ...right])).toEqual(pass);
  const [first, ...others] = right;
  if (first === undefined) return;
  expect(judge([...early, query("closed", 150), first, query("closed", 205), ...others])).toEqual([
    expect.stringMatching(/^pass: no connection or 503 for 3 queries, then 5 right answers/),
  ]);
  expect(judge([...early, first, query("closed", 205, "a"), query("closed", 220, "b"), ...others])).toEqual([
    'relapsed: query: {"of":"query","times":2,"afterMs":0,"text":"a"}',
  ]);
  const again = [query("closed", 450), query("closed", 500)];
  expect(judge([...early, ...right, ...again], { looks: [...early, ...right, ...again] })).toEqual([
    'relapsed: query: {"of":"query","times":2,"afterMs":245,"text":"closed"}',
  ]);
});

test("health may lag behind the first right answer, but not go back after its own", () => {
  const healthy = (...all: readonly (readonly [Look["was"], number])[]): string[] =>
    judge([], {
      looks: [...all.map(([was, sentAt]) => ({ ...query(was, sentAt), of: "health" as const })), ...early, ...right],
    });
  expect(healthy(["closed", 210], ["closed", 260], ["ready", 310])).toEqual(pass);
  expect(healthy(["ready", 110], ["closed", 204], ["closed", 260])).toEqual(pass);
  expect(healthy(["ready", 310], ["closed", 314], ["closed", 360])).toEqual(pass);
  expect(healthy(["ready", 310], ["closed", 315], ["closed", 360])).toEqual([
    'relapsed: health: {"of":"health","times":2,"afterMs":110,"text":"closed"}',
  ]);
});

test("a start is slow after more than the limit, and only where the server is not slow altogether", () => {
  const slow = (answeredMs: number, controlMs: number) =>
    judge([...early, ...right], { restart: { ...stopped, answeredMs }, pace: { waitedMs: answeredMs, controlMs } });
  expect(slow(30_000, 10)).toEqual(pass);
  expect(slow(30_001, 10)).toEqual(['slowStart: {"readyMs":30001,"withinMs":30000}']);
  expect(slow(30_001, 3_001)).toEqual([expect.stringMatching(/^unknown: the server was slow altogether/)]);
});

test("two looks before the first right answer and five right ones are needed", () => {
  expect(judge([...early, ...right])).toEqual(pass);
  expect(judge([...early.slice(1), ...right])).toEqual(unknown);
  expect(judge([...early, ...right.slice(1), query("lost", 450)])).toEqual([
    expect.stringMatching(/^unknown: 2 queries were sent before the first right answer and 4 were answered right/),
  ]);
  expect(judge([])).toEqual(["unknown: no query was answered with all rows after the start"]);
});

test("of answers that are never healthy the last one is told", () => {
  const none = ["a", "b", "c"].map((text) => ({ ...health, was: "none" as const, text }));
  expect(judge([], { looks: [...none, ...early, ...right] })).toEqual([
    "unknown: GET /health was never answered with 200: c",
  ]);
  expect(judge([], { looks: [...early, ...right] })).toEqual([
    "unknown: GET /health was never answered with 200: nothing was sent",
  ]);
});
