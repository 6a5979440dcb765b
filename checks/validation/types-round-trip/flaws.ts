/** Compares what was read back with what was stored. */
import type { Got, Trip } from "./trips.ts";

/** Answers that show that the value is not the one that was stored; any other answer shows nothing. */
const definite: ReadonlySet<Got["is"]> = new Set(["value", "null", "gone", "unreadable"] as const);

/** What was read and is not what was stored: the definite answer if there is one, the first read before the second. */
export function flawIn({ want, before, after }: Trip): Got | undefined {
  const isRight = ({ is, text }: Got): boolean =>
    want === null ? is === "null" : is === "value" && want.includes(text);
  const wrong = [before, after].filter((got) => !isRight(got));
  return wrong.find(({ is }) => definite.has(is)) ?? wrong[0];
}

/** A flaw of a value that the server accepted, and which kind it is; undefined if nothing is known to be wrong. */
export function kindOfFlaw(hasDigits: boolean, trip: Trip): "changed" | "lostDigits" | "unreadable" | undefined {
  const flaw = flawIn(trip);
  if (trip.taken !== "ok" || flaw === undefined || !definite.has(flaw.is)) return undefined;
  if (flaw.is === "unreadable") return "unreadable";
  return hasDigits && (trip.want ?? []).some((want) => differsInDigits(want, flaw)) ? "lostDigits" : "changed";
}

/** Equal but for the last digits: a number close to it, or the same second. */
function differsInDigits(want: string, got: Got): boolean {
  if (got.is !== "value") return false;
  const second = /^(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d/;
  if (second.test(want)) return second.exec(want)?.[0] === second.exec(got.text)?.[0];
  const [a, b] = [Number(want), Number(got.text)];
  // What is no number is close to none.
  return Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));
}
