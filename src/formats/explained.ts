/** What `explain --json` prints: everything about a check, as plain JSON, and its JSON Schema. */
import { levels, touchesOrder, type Level, type Limits, type Touches } from "../check.ts";
import { needDescriptions, type Need } from "../needs.ts";
import type { Json } from "../wire/json.ts";
import { count, flag, list, object, text } from "./report-schema.ts";

export interface ExplainedCheck {
  readonly id: string;
  readonly title: string;
  readonly failureTitle: string;
  readonly description: string;
  readonly blindTo: string;
  readonly risk: string;
  readonly remedy: string;
  readonly level: Level;
  readonly touches: Touches;
  readonly needs: readonly Need[];
  readonly alone: boolean;
  readonly estimateMs: number;
  readonly estimateRequests: number;
  readonly limits: Limits;
  readonly findings: readonly {
    readonly name: string;
    readonly level: Level;
    /** A sentence as the finding would have it. */
    readonly example: string;
    readonly risk: string;
    readonly remedy: string;
    /** It rests on time: not judged on a machine that is too busy. */
    readonly timed: boolean;
  }[];
  /** Tests of the production plan. */
  readonly covers: readonly string[];
}

export const explainedSchema: Json = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "kalam-ready explain --json",
  ...(list(
    object({
      id: text,
      title: text,
      failureTitle: text,
      description: text,
      blindTo: text,
      risk: text,
      remedy: text,
      level: { enum: levels },
      touches: { enum: touchesOrder },
      needs: list({ enum: Object.keys(needDescriptions) }),
      alone: flag,
      estimateMs: { type: "number", minimum: 0 },
      estimateRequests: count,
      limits: { type: "object", additionalProperties: { type: "number" } },
      findings: list(
        object({ name: text, level: { enum: levels }, example: text, risk: text, remedy: text, timed: flag }),
      ),
      covers: list(text),
    }),
  ) as Readonly<Record<string, Json>>),
};
