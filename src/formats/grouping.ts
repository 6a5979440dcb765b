/** Checks that were not run for one reason are one line of the table, not many rows that say the same. Pure. */
import { togetherMin } from "../exit.ts";
import type { Result } from "../report.ts";

export interface Group {
  readonly kind: "unknown" | "skip";
  readonly sentence: string;
  readonly results: readonly Result[];
}

/** So few are listed by id; more are counted by category. */
const listedMax = 6;

/** Separates the results that have a row of their own from those that are grouped; both in their order. */
export function groupNotRun(results: readonly Result[]): {
  readonly rows: readonly Result[];
  readonly groups: readonly Group[];
} {
  const alike = new Map<string, Group & { readonly results: Result[] }>();
  for (const result of results) {
    const { kind, sentence, ofTheRun } = result;
    if (ofTheRun || (kind !== "unknown" && kind !== "skip")) continue;
    const key = `${kind} ${sentence}`;
    const group = alike.get(key) ?? { kind, sentence, results: [] };
    group.results.push(result);
    alike.set(key, group);
  }
  // Checks that all ran may end for the same reason, too, and each of them is worth a row.
  const groups = [...alike.values()].filter((group) => group.results.length >= togetherMin && group.results.some(isNotBegun)); // prettier-ignore
  const grouped = new Set(groups.flatMap((group) => group.results));
  return { rows: results.filter((result) => !grouped.has(result)), groups };
}

/** `86 checks were not run`, or of a run that was interrupted `84 checks were not run and 2 did not finish`. */
export function groupTitle({ results }: Group): string {
  const notBegun = results.filter(isNotBegun).length;
  const begun = results.length - notBegun;
  const checks = notBegun === 1 ? "1 check was" : `${notBegun} checks were`;
  return `${checks} not run${begun === 0 ? "" : ` and ${begun} did not finish`}`;
}

/** The ids, if they are few; else the number in each category. */
export function groupMembers({ results }: Group): string {
  if (results.length <= listedMax) return results.map(({ check }) => check).join(", ");
  const counts = new Map<string, number>();
  for (const { category } of results) counts.set(category, (counts.get(category) ?? 0) + 1);
  return [...counts].map(([category, count]) => `${category} ${count}`).join(", ");
}

function isNotBegun({ tookMs }: Result): boolean {
  return tookMs === 0;
}
