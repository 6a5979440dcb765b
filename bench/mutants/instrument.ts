/** Code that holds all of its mutants: a number chosen at run time selects the one that takes effect. */
import type { Mutant, Source } from "./find.ts";

/** The function that the code calls with a mutant's number; true where that mutant is to take effect. */
export const selector = "$mutant";

export function instrument({ text, mutants }: Source): string {
  const places = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    const key = `${mutant.start} ${mutant.end}`;
    places.set(key, [...(places.get(key) ?? []), mutant]);
  }
  // Of nested expressions the outer ones first.
  const all = [...places.values()]
    .map((of) => ({ start: of[0]?.start ?? 0, end: of[0]?.end ?? 0, of }))
    .toSorted((one, other) => one.start - other.start || other.end - one.end);
  let next = 0;
  const written = (start: number, end: number): string => {
    let out = "";
    let at = start;
    for (let place = all[next]; place !== undefined && place.end <= end; place = all[next]) {
      next += 1;
      out += text.slice(at, place.start);
      const choices = place.of.map((mutant) => `${selector}(${mutant.id}) ? (${mutant.text}) : `);
      out += `(${choices.join("")}(${written(place.start, place.end)}))`;
      at = place.end;
    }
    return out + text.slice(at, end);
  };
  return written(0, text.length);
}
