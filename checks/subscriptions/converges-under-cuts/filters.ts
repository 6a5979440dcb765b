/** Filters made up at random, of comparisons and LIKE: what every version of the server accepts for a live query. */

const kinds = ["error", "info", "warn"] as const;
const numbersMax = 10;

export interface RandomFilter {
  readonly text: string;
  /** Values for a row, of which some match the filter and some do not. */
  readonly values: () => { readonly kind: string; readonly n: number };
}

export function randomFilter(random: () => number): RandomFilter {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const comparison = (): string => {
    const number = Math.floor(random() * numbersMax);
    return pick([
      `kind = '${pick(kinds)}'`,
      `kind <> '${pick(kinds)}'`,
      `n < ${number}`,
      `n >= ${number}`,
      `kind LIKE '${pick(["e%", "%n%", "i_fo"])}'`,
    ]);
  };
  const text = random() < 0.4 ? comparison() : `${comparison()} ${pick(["AND", "OR"])} ${comparison()}`;
  return { text, values: () => ({ kind: pick(kinds), n: Math.floor(random() * numbersMax) }) };
}
