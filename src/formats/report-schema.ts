/** JSON Schema of the report, written by hand. A test validates reports against it, so that it stays in step with `Report`. */
import { efforts, levels, touchesOrder } from "../check.ts";
import type { Json } from "../wire/json.ts";

const object = (properties: { [key: string]: Json }, optional: readonly string[] = []): Json => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
const text: Json = { type: "string" };
const textOrNull: Json = { type: ["string", "null"] };
const count: Json = { type: "integer", minimum: 0 };
const flag: Json = { type: "boolean" };
const list = (items: Json): Json => ({ type: "array", items });

const acceptance = object({ reason: text, until: { type: "string", pattern: "^\\d{4}-\\d{2}-\\d{2}$" } });

const exchange = object(
  {
    number: count,
    at: count,
    as: text,
    method: text,
    path: text,
    text,
    params: text,
    namespace: text,
    outcome: text,
    tookMs: { type: "number" },
  },
  ["as", "text", "params", "namespace"],
);

const finding = object(
  {
    name: text,
    level: { enum: levels },
    case: text,
    sentence: text,
    data: {},
    risk: text,
    remedy: text,
    sent: list({ $ref: "#/$defs/exchange" }),
    accepted: acceptance,
    expired: acceptance,
  },
  ["case", "accepted", "expired"],
);

const result = object(
  {
    check: text,
    category: text,
    title: text,
    kind: { enum: ["pass", "fail", "unknown", "skip"] },
    effect: { enum: ["none", "blocks", "warns", "undetermined", "accepted"] },
    required: flag,
    ofTheRun: flag,
    sentence: text,
    findings: list({ $ref: "#/$defs/finding" }),
    risk: text,
    remedy: text,
    touches: { enum: touchesOrder },
    limits: { type: "object", additionalProperties: { type: "number" } },
    observation: text,
    tookMs: count,
  },
  ["risk", "remedy", "observation"],
);

/** Of a run without a verdict: an error took its place. */
const unfinished = object({
  schemaVersion: { const: 1 },
  verdict: text,
  exit: { type: "integer", minimum: 1 },
  error: object({ code: text, message: text }),
});

const report = object({
  schemaVersion: { const: 1 },
  tool: object({ name: { const: "kalam-ready" }, version: text }),
  run: object({
    id: text,
    seed: count,
    startedAt: text,
    tookMs: count,
    effort: { enum: efforts },
    requests: count,
    rateRefusals: count,
    again: list(text),
    machine: object({
      timersLateMs: count,
      cpuWaitedPercent: { type: ["integer", "null"], minimum: 0 },
      undetermined: count,
    }),
  }),
  profile: object({ name: text, allow: list({ enum: touchesOrder }), failOn: { enum: levels } }),
  server: object({
    url: textOrNull,
    version: textOrNull,
    own: flag,
    login: { anyOf: [{ type: "null" }, object({ user: text, role: text })] },
  }),
  verdict: text,
  exit: count,
  reasons: list(text),
  totals: object({ passed: count, failed: count, warned: count, accepted: count, unknown: count, skipped: count }),
  notCovered: { type: "object", propertyNames: { enum: touchesOrder }, additionalProperties: count },
  leftOut: count,
  results: list({ $ref: "#/$defs/result" }),
  evidence: { type: "object" },
});

export const reportSchema: Json = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "kalam-ready report",
  anyOf: [{ $ref: "#/$defs/report" }, { $ref: "#/$defs/unfinished" }],
  $defs: { exchange, finding, result, report, unfinished },
};
