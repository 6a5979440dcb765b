/** One line of a measurement; the goal may be empty. */
export function print(what: string, figures: string, goal: string): void {
  process.stdout.write(`${what.padEnd(38)} ${figures}${goal === "" ? "" : `   ${goal}`}\n`);
}
