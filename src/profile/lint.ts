/** What is valid in a profile and yet hardly meant. Pure. */
import type { Profile } from "./effective.ts";

const soonDays = 14;

export interface Lint {
  /** The profile's key that it is about. */
  readonly key: "only" | "accept" | "control";
  readonly message: string;
}

/** `today` as YYYY-MM-DD, in UTC. */
export function lint(
  { only, accept, control, allow }: Pick<Profile, "only" | "accept" | "control" | "allow">,
  today: string,
): Lint[] {
  const warnings: Lint[] = [];
  if (control !== undefined && !allow.includes("process"))
    warnings.push({
      key: "control",
      message: "it is not used, because allow does not list process: the checks that stop the server are skipped",
    });
  if (only?.size === 0)
    warnings.push({
      key: "only",
      message: "it selects no check, so the verdict is CANNOT TELL; leave it out to run all",
    });
  for (const { check, finding, case: of, until } of accept) {
    const days = daysBetween(today, until);
    if (days > soonDays) continue;
    const what = `the acceptance of ${finding}${of === undefined ? "" : ` [${of}]`} in ${check}`;
    const message =
      days < 0
        ? `${what} ended at midnight UTC after ${until}, and the finding counts again; remove it, or renew it with a reason`
        : `${what} ends ${inDays(days)}, at midnight UTC after ${until}; then the finding counts again`;
    warnings.push({ key: "accept", message });
  }
  return warnings;
}

/** When the next acceptance ends; empty if there is none that holds. */
export function nextEnd({ accept }: Pick<Profile, "accept">, today: string): string {
  const [next] = accept
    .map(({ until }) => until)
    .filter((until) => until >= today)
    .toSorted();
  return next === undefined ? "" : `; the next acceptance ends at midnight UTC after ${next}`;
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / 86_400_000);
}

function inDays(days: number): string {
  return days === 0 ? "today" : days === 1 ? "tomorrow" : `in ${days} days`;
}
