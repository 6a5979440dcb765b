/** What an observation cannot go on without. */
import type { Unmet } from "../check.ts";
import { SetupError } from "../session/accounts.ts";
import { outcomeOf, type Answer } from "./answer.ts";

/** Throws SetupError if a result that the observation needs is missing. */
export function need<T>(outcome: T, otherwise: string): Exclude<T, Unmet> {
  const why = whyNot(outcome);
  if (why !== undefined) {
    const whole = (outcome as { whole?: unknown } | null | undefined)?.whole === true;
    throw new SetupError(whole ? why : `${otherwise}${why === "" ? "" : `: ${why}`}`);
  }
  return outcome as Exclude<T, Unmet>;
}

/** Why an outcome is not usable; undefined if it is. */
function whyNot(outcome: unknown): string | undefined {
  if (outcome === undefined || outcome === null) return "";
  if (typeof outcome !== "object") return undefined;
  const { kind, why, message } = outcome as Readonly<Record<string, unknown>>;
  if (kind === "refused" || kind === "unsure") {
    // An answer has its outcome; a summary of one, or the start of a live query, has its own words.
    if ("tookMs" in outcome) return outcomeOf(outcome as Answer);
    return [message, why, kind].find((one) => typeof one === "string" && one !== "") as string;
  }
  const isUnmet = kind === "failed" || kind === undefined;
  return isUnmet && typeof why === "string" ? why : undefined;
}
