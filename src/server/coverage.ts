/** What was really used of what a check is about. */
import type { Observation, Verdict } from "../check.ts";
import type { Account } from "./target.ts";

/** A pass with fewer accounts than the check is about shows nothing: unknown. */
export function withAccounts({ uses = {} }: Observation, verdict: Verdict, used: readonly Account[]): Verdict {
  if (verdict.kind !== "pass") return verdict;
  for (const [role, wanted] of Object.entries(uses)) {
    const number = new Set(used.flatMap((one) => (one.role === role ? one.name : []))).size;
    if (number < wanted)
      return { kind: "unknown", sentence: `only ${number} of ${wanted} accounts with the role ${role} were used` };
  }
  return verdict;
}
