/** Words of the command line and the environment: read, or refused with the flag or variable that they stood in. */
import { durationMs, durationWanted } from "../duration.ts";
import { didYouMean } from "../nearest.ts";
import { SelectorError } from "../selector.ts";

/** Something is wrong with the command line or the environment: exit 64. */
export class UsageError extends Error {}

/** Runs a parser over what stood in a flag or a variable, and says where it stood if that fails. */
export function withFlagName<Text, T>(name: string, value: Text, parse: (value: Text) => T): T {
  try {
    return parse(value);
  } catch (error) {
    if (error instanceof SelectorError || error instanceof WrongText) throw new UsageError(`${name}: ${error.message}`);
    throw error;
  }
}

class WrongText extends Error {}

export function parseDuration(text: string): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new WrongText(`${durationWanted}, not ${JSON.stringify(text)}`);
  return ms;
}

export function whole(text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max))
    throw new WrongText(`a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`);
  return value;
}

export function oneOf<const T extends string>(text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found === undefined)
    throw new WrongText(`one of ${words.join(", ")}, not ${JSON.stringify(text)}${didYouMean(text, words)}`);
  return found;
}

export function notEmpty(name: string, value: string): string {
  if (value.trim() === "") throw new UsageError(`${name} is empty`);
  return value;
}
