import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import type { Check, Verdict } from "../check.ts";
import type { Profile } from "../profile/effective.ts";
import { makeReport, type CleanUp, type Report, type Unfinished } from "../report.ts";
import type { Outcome } from "../run.ts";
import { formatJson } from "./json.ts";
import { reportSchema } from "./report-schema.ts";
import { formatUnfinished } from "./unfinished.ts";

const check = {
  id: "a/b",
  title: "It holds",
  failureTitle: "It does not",
  risk: "r",
  remedy: "m",
  level: "block",
  findings: { lost: { say: () => "3 lost" } },
  observation: { id: "a/b", touches: "scratch" },
} as unknown as Check;

function outcome(verdict: Outcome["verdict"], seen?: Outcome["seen"]): Outcome {
  const category = { id: "a", promise: "p", checks: [check] };
  const step = { category, check, disposition: { kind: "run" }, limits: { msMax: 5 }, required: false } as const;
  return { step, verdict, tookMs: 1.5, ...(seen === undefined ? {} : { seen }) };
}

const lost: Verdict = {
  kind: "fail",
  found: [{ name: "lost", data: { n: 3, long: "9007199254740993" }, case: "big", sent: [1] }],
};
const until = (day: string): Profile["accept"] => [{ check: "a/b", finding: "lost", reason: "known", until: day }];

function report(
  outcomes: readonly Outcome[],
  cleanUp: CleanUp,
  rest: { accept?: Profile["accept"]; url?: string | null } = {},
): Report {
  const { accept = [], url = "http://127.0.0.1:8080" } = rest;
  const startedAt = "2026-11-22T17:00:00.000Z";
  const exchange = {
    number: 1,
    at: 2,
    as: "root",
    method: "POST",
    path: "/v1/api/sql",
    text: "SELECT 1",
    params: "[1]",
    outcome: "200",
    tookMs: 1.5,
  };
  return makeReport({
    tool: { name: "kalam-ready", version: "0.1.0" },
    run: {
      id: "k7f3a",
      seed: 4,
      startedAt,
      tookMs: 9,
      effort: "standard",
      requests: 3,
      rateRefusals: 0,
      machine: { timersLateMs: 3, cpuWaitedPercent: 40, undetermined: 0 },
    },
    server: {
      url,
      version: url === null ? null : "0.4.3",
      own: false,
      login: url === null ? null : { user: "root", role: "system" },
    },
    profile: { name: "p", allow: ["nothing", "scratch"], failOn: "warn", checks: {}, accept } as unknown as Profile,
    plan: { steps: [], requiredButLeftOut: [], leftOut: 0, estimateMs: 0, estimateRequests: 0 },
    outcomes,
    cleanUp,
    exchange: () => exchange,
    again: ({ id }) => ({ command: `kalam-ready check --only ${id}`, needs: ["KALAM_READY_PASSWORD set"] }),
    today: "2026-11-22",
  }).report;
}

const evidence = { at: [1.5, null, "ä\u0000\u001b\ud83d\ude00"], deep: { a: [{}] } };
const all = [
  { ...outcome({ kind: "pass", sentence: "3 of 3" }, evidence), timeline: [{ what: "first answer", ms: 12 }] },
  outcome(lost, evidence),
  outcome({ kind: "unknown", sentence: "too few" }),
  outcome({ kind: "skip", sentence: "not here" }),
];
const left: CleanUp = { kind: "left", left: [{ kind: "account", name: "kr_k7f3a_user_1", why: "400" }] };
const reports: readonly [string, Report][] = [
  ["with every kind of result", report(all, { kind: "clean", names: 2 })],
  ["without results", report([], { kind: "none" }, { url: null })],
  ["with something left behind", report(all, left)],
  ["with an unclear clean-up", report(all, { kind: "unclear", sentence: "no answer" })],
  ["with scratch names kept", report(all, { kind: "kept", sentence: "kept" })],
  ["with an acceptance", report(all, { kind: "none" }, { accept: until("2026-12-31") })],
  ["with an expired acceptance", report(all, { kind: "none" }, { accept: until("2026-01-31") })],
];

const valid = new Ajv2020({ allErrors: true }).compile(reportSchema as object);

test.for(reports)("a report %s is one JSON document, reads back unchanged and matches its schema", ([, made]) => {
  const text = formatJson(made);
  const read = JSON.parse(text) as Report;
  expect(text.endsWith("}\n")).toBe(true);
  expect(read).toEqual(made);
  expect(valid(read) ? [] : valid.errors).toEqual([]);
});

test("the document of a run without a verdict matches the schema, and is never exit 0", () => {
  const error = { code: "unknownOption", message: "unknown option '--nope'" };
  const unfinished = { schemaVersion: 1, verdict: "USAGE", exit: 64, error } as const;
  const read = JSON.parse(formatUnfinished("json", unfinished, new Date(0))) as Unfinished;
  expect(read).toEqual(unfinished);
  expect([valid(read), valid({ ...read, exit: 0 }), valid({ ...read, error: undefined })]).toEqual([
    true,
    false,
    false,
  ]);
});

test("it has the verdict, the exit code, the evidence and the requests", () => {
  const read = JSON.parse(formatJson(report(all, { kind: "none" }))) as Report;
  expect(read).toMatchObject({ schemaVersion: 1, verdict: "NOT READY", exit: 1, evidence: { "a/b": evidence } });
  expect(read.results[1]?.findings[0]).toMatchObject({
    data: { long: "9007199254740993" },
    sent: [{ text: "SELECT 1" }],
  });
});

test.for<[string, (good: Record<string, unknown>) => unknown]>([
  ["without a verdict", (good) => ({ ...good, verdict: undefined })],
  ["with an unknown key", (good) => ({ ...good, extra: 1 })],
  ["of another version", (good) => ({ ...good, schemaVersion: 2 })],
  [
    "with an unknown effect",
    (good) => ({ ...good, results: [{ ...(good["results"] as object[])[0], effect: "fine" }] }),
  ],
  ["that is not an object", () => []],
])("its schema rejects a report %s", ([, spoil]) => {
  expect(valid(spoil(JSON.parse(formatJson(report(all, { kind: "none" }))) as Record<string, unknown>))).toBe(false);
});
