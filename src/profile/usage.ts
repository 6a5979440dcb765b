/** What is wrong with a command line or the environment. */

/** Something is wrong with the command line or the environment: exit 64. */
export class UsageError extends Error {}

/** Throws UsageError: an empty variable of a pipeline must not be taken for a choice. */
export function notEmpty(name: string, value: string): string {
  if (value.trim() === "") throw new UsageError(`${name} is empty`);
  return value;
}
