/** How a result is shown to people: its kind, and for a failure what it does to the verdict. */
import type { Result } from "../report.ts";

export type Appearance = "pass" | "fail" | "warn" | "accepted" | "unknown" | "skip";

export function appearanceOf(result: Pick<Result, "kind" | "effect">): Appearance {
  if (result.kind !== "fail") return result.kind;
  return result.effect === "accepted" ? "accepted" : result.effect === "warns" ? "warn" : "fail";
}
