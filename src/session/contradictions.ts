/**
 * Answers that disagree with themselves, by the observation that got them. To a check such an answer is unsure, so a server
 * that miscounts would only look unavailable; the run makes a result of its own from this.
 */
export interface Contradiction {
  /** For `sent` of a finding. */
  readonly exchange: number;
  readonly sentence: string;
}

/** All of one holder. */
export interface Contradictory {
  readonly count: number;
  readonly first: readonly Contradiction[];
}

/** As many as a finding can show. */
const keptMax = 5;

export class Contradictions {
  /** The holder of what no observation asked: the login, the set-up of checks, the clean-up. */
  readonly ofTheRun: object = {};
  readonly #noted = new Map<object, Contradictory>();

  note(holder: object, contradiction: Contradiction): void {
    const { count, first } = this.#noted.get(holder) ?? { count: 0, first: [] };
    this.#noted.set(holder, { count: count + 1, first: [...first, contradiction].slice(0, keptMax) });
  }

  /** What this holder got, and forgets it; undefined if there was none. */
  take(holder: object): Contradictory | undefined {
    const noted = this.#noted.get(holder);
    this.#noted.delete(holder);
    return noted;
  }
}
