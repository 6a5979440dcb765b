/** The list of mutants that no test notices, each with its reason. */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Mutant, MutantName } from "./find.ts";

export interface Survivor extends MutantName {
  /** Why no test can or need notice it. */
  readonly why: string;
}

/** Of all mutants. More would mean that the tests leave out what matters. */
export const shareMax = 0.05;

export function readSurvivors(root: string): Survivor[] {
  return JSON.parse(readFileSync(path.join(root, "bench/mutants/survivors.json"), "utf8")) as Survivor[];
}

/** Equal for a mutant and its entry in the list. */
export function keyOf({ file, in: where, kind, from, to, nth }: MutantName): string {
  return JSON.stringify([file, where, kind, from, to, nth ?? 1]);
}

/** What is wrong with the list, whatever the tests notice: entries that name no mutant, that repeat, or that give no reason. */
export function problemsOf(list: readonly Survivor[], mutants: readonly Mutant[]): string[] {
  const known = new Set(mutants.map((one) => keyOf(one)));
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const survivor of list) {
    const key = keyOf(survivor);
    if (!known.has(key)) problems.push(`is not a mutant of today's code, remove it: ${said(survivor)}`);
    if (seen.has(key)) problems.push(`is listed twice: ${said(survivor)}`);
    if (survivor.why.trim() === "") problems.push(`has no reason: ${said(survivor)}`);
    seen.add(key);
  }
  const share = list.length / mutants.length;
  if (share > shareMax)
    problems.push(
      `${list.length} of ${mutants.length} mutants are listed, ${(share * 100).toFixed(1)} %; at most ${shareMax * 100} % may be`,
    );
  return problems;
}

export function said({ file, in: where, kind, from, to, nth }: MutantName): string {
  return `${file} ${where}${nth === undefined ? "" : ` (${nth})`} ${kind}: ${from} → ${to}`;
}
