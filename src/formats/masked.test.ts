import { describe, expect, test } from "vitest";
import { exits } from "../exit.ts";
import type { Report, Result } from "../report.ts";
import { Redactor } from "../session/redaction.ts";
import { formatJson } from "./json.ts";
import { formatJunit } from "./junit.ts";
import { maskReport } from "./masked.ts";
import { formatTable } from "./table.ts";

const finding: Result["findings"][number] = {
  name: "lost",
  level: "block",
  sentence: "saw hunter22",
  data: { hunter22: ["is hunter22"], n: 3 },
  risk: "rows are gone",
  remedy: "find them",
  sent: [{ number: 1, at: 1, method: "POST", path: "/sql", text: "SELECT 'hunter22'", outcome: "200", tookMs: 1 }],
};
const accepted = { ...finding, accepted: { reason: "hunter22", until: "2026-12-31" } };
const result: Result = {
  check: "a/b",
  category: "a",
  title: "a/b is wrong",
  kind: "fail",
  effect: "blocks",
  required: false,
  ofTheRun: false,
  sentence: "saw hunter22",
  findings: [finding, accepted],
  touches: "nothing",
  limits: {},
  observation: "seen by a/b",
  tookMs: 5,
  again: { command: "kalam-ready check --url http://hunter22", needs: [] },
};
const original: Report = {
  schemaVersion: 1,
  tool: { name: "kalam-ready", version: "0.1.0" },
  run: {
    id: "k7f3a",
    seed: 1,
    startedAt: "2026-11-22T17:00:00.000Z",
    tookMs: 5,
    effort: "standard",
    requests: 9,
    rateRefusals: 0,
    machine: { timersLateMs: 3, cpuWaitedPercent: 40, undetermined: 0 },
  },
  profile: { name: "hunter22", allow: ["nothing"], failOn: "block" },
  server: { url: "http://hunter22", version: "hunter22", own: false, login: { user: "hunter22", role: "dba" } },
  verdict: exits.notReady.says,
  exit: exits.notReady.code,
  reasons: ["a/b failed: hunter22"],
  totals: { passed: 0, failed: 1, warned: 0, accepted: 0, unknown: 0, skipped: 0 },
  notCovered: {},
  leftOut: 0,
  results: [result],
  evidence: { "seen by a/b": { rows: [{ hunter22: "saw hunter22" }] } },
};

const masking = (secret: string): Report => {
  const redactor = new Redactor();
  redactor.add(secret);
  return maskReport(original, redactor);
};
const documents = (report: Report): readonly [string, string, string] => [
  formatJson(report),
  formatJunit(report),
  formatTable(report, { colors: 0, ascii: false, categories: [] }),
];

test("no secret is left in any format, not even as a key", () => {
  expect(documents(original).every((text) => text.includes("hunter22"))).toBe(true);
  for (const text of documents(masking("hunter22"))) expect(text).not.toContain("hunter22");
  expect(masking("hunter22").evidence).toEqual({ "seen by a/b": { rows: [{ "•••": "saw •••" }] } });
});

describe("a server chooses its tokens, and none makes a report greener", () => {
  const structure = ({ verdict, exit, totals, results, evidence }: Report): unknown => [
    [verdict, exit, totals, Object.keys(evidence)],
    results.map(({ check, kind, effect, findings }) => [check, kind, effect, findings.map(({ name }) => name)]),
  ];

  test.each([
    "</failure>",
    "<failure",
    "<failure message=",
    "NOT READY",
    "failures=",
    "fail",
    "blocks",
    "block",
    "lost",
    "run/verdict",
    "seen by a/b",
    "exit 1",
    '"exit": 1',
    "1 failed",
    "2026-12-31",
    "a/b",
  ])("%j", (token) => {
    const masked = masking(token);
    expect(structure(masked)).toEqual(structure(original));
    expect(masked.results[0]?.findings[1]?.accepted?.until).toBe("2026-12-31");
    const [json, junit, table] = documents(masked);
    expect(JSON.parse(json)).toMatchObject({ verdict: "NOT READY", exit: 1 });
    expect(junit).toMatch(/^<testsuites [^>]*failures="2"/m);
    expect(junit.match(/<failure message=/g)).toHaveLength(2);
    expect(junit.match(/<\/failure>/g)).toHaveLength(2);
    expect(table).toMatch(/^NOT READY {3}0 passed {2}1 failed/m);
    expect(table).toMatch(/exit 1$/m);
  });
});
