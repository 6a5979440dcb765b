/** JSON Schema of the report, written by hand. A test validates reports against it, so that it stays in step with `Report`. */
import { efforts, levels, touchesOrder } from "../check.ts";
import { fieldNames } from "../server/facts.ts";
import { evidenceMax } from "./evidence.ts";
import type { Json } from "../wire/json.ts";

export const object = (properties: { [key: string]: Json }, optional: readonly string[] = []): Json => ({
  type: "object",
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
export const text: Json = { type: "string" };
const textOrNull: Json = { type: ["string", "null"] };
export const count: Json = { type: "integer", minimum: 0 };
export const flag: Json = { type: "boolean" };
export const list = (items: Json): Json => ({ type: "array", items });

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
    partial: { const: true },
    outcome: text,
    tookMs: { type: "number" },
  },
  ["as", "text", "params", "namespace", "partial"],
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
    restsOn: text,
    accepted: acceptance,
    expired: acceptance,
  },
  ["case", "restsOn", "accepted", "expired"],
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
    timeline: list(object({ what: text, ms: count })),
    again: object({ command: text, needs: list(text) }),
  },
  ["risk", "remedy", "observation", "timeline", "again"],
);

/** Where versions of KalamDB differ: what is known of this one, and from where. */
const field: Json = {
  anyOf: [
    object({ known: { const: false } }),
    object(
      {
        known: { const: true },
        value: { anyOf: [text, flag, count, list(text)] },
        from: { enum: ["probed", "seen", "documented", "assumed"] },
        source: text,
      },
      ["source"],
    ),
  ],
};

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
  run: object(
    {
      id: text,
      seed: count,
      startedAt: text,
      tookMs: count,
      effort: { enum: efforts },
      requests: count,
      rateRefusals: count,
      limitedBy: text,
      machine: object({
        timersLateMs: count,
        cpuWaitedPercent: { type: ["integer", "null"], minimum: 0 },
        undetermined: count,
      }),
    },
    ["limitedBy"],
  ),
  profile: object({ name: text, allow: list({ enum: touchesOrder }), failOn: { enum: levels } }),
  server: object(
    {
      url: textOrNull,
      version: textOrNull,
      basis: text,
      dialect: object(Object.fromEntries(fieldNames.map((name) => [name, field]))),
      own: flag,
      lowered: { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } },
      proxy: text,
      insecure: { const: true },
      login: { anyOf: [{ type: "null" }, object({ user: text, role: text })] },
    },
    ["basis", "dialect", "lowered", "proxy", "insecure"],
  ),
  verdict: text,
  exit: count,
  reasons: list(text),
  totals: object({ passed: count, failed: count, warned: count, accepted: count, unknown: count, skipped: count }),
  notCovered: { type: "object", propertyNames: { enum: touchesOrder }, additionalProperties: count },
  leftOut: count,
  results: list({ $ref: "#/$defs/result" }),
  evidence: {
    type: "object",
    description:
      `By observation. At most ${evidenceMax.each} characters of each and ${evidenceMax.all} of all are kept; ` +
      "what is left out is marked where it was: … and 12 more.",
  },
});

export const reportSchema: Json = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "kalam-ready report",
  anyOf: [{ $ref: "#/$defs/report" }, { $ref: "#/$defs/unfinished" }],
  $defs: { exchange, finding, result, report, unfinished },
};
