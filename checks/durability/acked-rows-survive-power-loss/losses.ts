/** What of the acknowledged changes is there after a cut of the power. Pure. */
import { cellText } from "../../../src/server/target.ts";
import type { Reading } from "../reading.ts";
import { kept, type Cut, type Statement, type Table, type Written } from "./workload.ts";

export type Shown = Pick<Reading, "why" | "cause" | "exchange"> & {
  readonly table: Table;
  /** Key and mark; null where the table was not read. */
  readonly rows: readonly (readonly [id: string, mark: string])[] | null;
  /** With rows, or with an error. */
  readonly isAnswered: boolean;
};

export function shownOf(table: Table, { rows, why, cause, exchange }: Reading, isAnswered: boolean): Shown {
  const pairs = rows?.map(({ id, mark }) => [cellText(id ?? null), cellText(mark ?? null)] as const);
  return { table, rows: pairs ?? null, why, cause, exchange, isAnswered };
}

/** Of the rows that were changed last at least so long ago. */
export type Lost = { readonly rows: number; readonly of: number; readonly oldestMs: number; readonly first: string };

export type Losses = {
  /** Rows that are not there; of those that a completed flush had taken, and of the others. */
  readonly flushed: Lost | null;
  readonly others: Lost | null;
  /** Rows that are as they were before an acknowledged update or delete. */
  readonly undone: Lost | null;
  /** In words: rows that nobody wrote so. */
  readonly strange: readonly string[];
  /** Table and key of all of these. */
  readonly wrong: ReadonlySet<string>;
};

type Step = Pick<Statement, "sentAt" | "ackedAt"> & { readonly mark: string | null };

/** By table and key: what it was, in its order. */
function historiesOf(statements: readonly Statement[]): ReadonlyMap<string, readonly Step[]> {
  const histories = new Map<string, Step[]>();
  for (const { rows, ...times } of statements)
    for (const { table, id, mark } of rows) {
      const key = `${table} ${id}`;
      histories.set(key, [...(histories.get(key) ?? []), { ...times, mark }]);
    }
  return histories;
}

/**
 * Compares what a server shows with what was acknowledged until the cut. Tables that were not read show nothing; `without`:
 * neither do rows that are wrong without any cut.
 */
export function lossesAt(
  { statements, flush }: Pick<Written, "statements" | "flush">,
  { at }: Pick<Cut, "at">,
  shown: readonly Shown[],
  without: ReadonlySet<string> = new Set(),
): Losses {
  const [flushed, others, undone] = [new Tally(at), new Tally(at), new Tally(at)];
  const strange: string[] = [];
  const wrong = new Set<string>();
  const isStrange = (key: string, what: string): void => {
    wrong.add(key);
    strange.push(`${key} is ${what}`);
  };
  const found = new Map<string, string>();
  for (const { table, rows } of shown)
    for (const [id, mark] of rows ?? []) {
      const key = `${table} ${id}`;
      if (found.has(key) && !without.has(key)) isStrange(key, "there twice");
      found.set(key, mark);
    }
  const read = new Set(shown.flatMap(({ table, rows }) => (rows === null ? [] : [`${table} `])));
  const histories = historiesOf(statements);
  for (const [key, steps] of histories) {
    if (without.has(key) || ![...read].some((table) => key.startsWith(table))) continue;
    const last = steps.findLastIndex(({ ackedAt }) => ackedAt <= at);
    const step = steps[last];
    const mark = found.get(key) ?? null;
    // What was sent afterwards may be there as well.
    const isRight = steps.slice(Math.max(last, 0)).some((one) => one.mark === mark) || (last < 0 && mark === null);
    if (step === undefined) {
      if (!isRight) isStrange(key, `${mark}`);
      continue;
    }
    const isFlushed = key.startsWith(`${kept} `) && step.ackedAt <= flush.sentAt && flush.completedAt <= at;
    const isChange = last > 0;
    if (step.mark !== null) (isFlushed ? flushed : others).count();
    if (isChange) undone.count();
    if (isRight) continue;
    wrong.add(key);
    if (mark === null) (isFlushed ? flushed : others).note(key, step);
    else if (steps.slice(0, last).some((one) => one.mark === mark)) undone.note(key, step);
    else isStrange(key, `${mark}, and not ${step.mark ?? "deleted"}`);
  }
  for (const [key, mark] of found)
    if (!histories.has(key) && !without.has(key)) isStrange(key, `${mark}, which nobody wrote`);
  return { flushed: flushed.result(), others: others.result(), undone: undone.result(), strange, wrong };
}

class Tally {
  readonly #at: number;
  #of = 0;
  readonly #lost: { readonly key: string; readonly ackedAt: number }[] = [];

  constructor(at: number) {
    this.#at = at;
  }

  count(): void {
    this.#of += 1;
  }

  note(key: string, { ackedAt }: Step): void {
    this.#lost.push({ key, ackedAt });
  }

  result(): Lost | null {
    const [oldest] = this.#lost.toSorted((one, other) => one.ackedAt - other.ackedAt);
    if (oldest === undefined) return null;
    const oldestMs = Math.max(0, Math.round(this.#at - oldest.ackedAt));
    return { rows: this.#lost.length, of: this.#of, oldestMs, first: oldest.key };
  }
}
