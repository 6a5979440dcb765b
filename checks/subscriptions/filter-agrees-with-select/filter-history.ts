/** Live filters against SELECT: the predicates, the statements, and which events the server must deliver for them. */
import type { Opening } from "../../vocabulary/opening.ts";

/** One predicate a line; add to it freely. */
export const predicates: readonly { readonly name: string; readonly where: string }[] = [
  { name: "equal", where: "kind = 'error'" },
  { name: "not equal", where: "kind <> 'error'" },
  { name: "less", where: "n < 5" },
  { name: "like", where: "kind LIKE 'err%'" },
  { name: "and", where: "kind = 'error' AND n < 5" },
  { name: "or", where: "kind = 'error' OR n > 8" },
  { name: "not", where: "NOT (kind = 'error')" },
  { name: "in", where: "kind IN ('error', 'warn')" },
  { name: "between", where: "n BETWEEN 1 AND 4" },
  { name: "is null", where: "note IS NULL" },
  { name: "function", where: "LOWER(kind) = 'error'" },
  { name: "quote in quotes", where: "kind = 'it''s'" },
  // The server generates ids of this size; a filter that compares them as doubles confuses adjacent ones.
  { name: "large integer", where: "big = 9007199254740993" },
];

export interface Step {
  readonly kind: "insert" | "update" | "delete";
  readonly id: number;
  /** Literals by column: all of them for an insert, some for an update. */
  readonly set: Readonly<Record<string, string>>;
}

const [below, large, above] = ["9007199254740992", "9007199254740993", "9007199254740994"];

/** Rows written before the subscriptions begin. */
export const seeds: readonly Step[] = [
  { kind: "insert", id: 1, set: { kind: "'error'", n: "1", big: below, note: "NULL" } },
  { kind: "insert", id: 2, set: { kind: "'info'", n: "9", big: large, note: "'x'" } },
  { kind: "insert", id: 3, set: { kind: "NULL", n: "NULL", big: "NULL", note: "NULL" } },
];

/** Rows that match, that do not, that enter a filter, stay in it and leave it. */
export const steps: readonly Step[] = [
  { kind: "insert", id: 10, set: { kind: "'error'", n: "2", big: large, note: "NULL" } },
  { kind: "insert", id: 11, set: { kind: "'info'", n: "7", big: below, note: "'x'" } },
  { kind: "insert", id: 12, set: { kind: "'it''s'", n: "4", big: large, note: "'q'" } },
  { kind: "insert", id: 13, set: { kind: "NULL", n: "NULL", big: "NULL", note: "NULL" } },
  { kind: "insert", id: 14, set: { kind: "'Error'", n: "20", big: above, note: "''" } },
  { kind: "insert", id: 15, set: { kind: "'warn'", n: "1", big: below, note: "'x'" } },
  { kind: "update", id: 11, set: { kind: "'error'", n: "3", big: large, note: "NULL" } },
  { kind: "update", id: 10, set: { kind: "'info'", n: "8", big: below, note: "'z'" } },
  { kind: "update", id: 12, set: { note: "'qq'" } },
  { kind: "update", id: 11, set: { n: "2" } },
  { kind: "update", id: 2, set: { kind: "'error'" } },
  { kind: "update", id: 15, set: { kind: "NULL", n: "NULL" } },
  { kind: "delete", id: 11, set: {} },
  { kind: "delete", id: 13, set: {} },
  { kind: "delete", id: 12, set: {} },
  { kind: "delete", id: 1, set: {} },
];

/** Every statement writes its own number into `step`, so that an event shows which statement caused it. */
export function statementFor(table: string, { kind, id, set }: Step, step: number): string {
  const values = { ...set, step: String(step) };
  if (kind === "insert")
    return `INSERT INTO ${table} (id, ${Object.keys(values).join(", ")}) VALUES (${id}, ${Object.values(values).join(", ")})`;
  if (kind === "delete") return `DELETE FROM ${table} WHERE id = ${id}`;
  const changes = Object.entries(values).map(([column, value]) => `${column} = ${value}`);
  return `UPDATE ${table} SET ${changes.join(", ")} WHERE id = ${id}`;
}

/** One event. `step`: the row's statement number; for a row that is gone, the number it had. */
export type FilterEvent = { readonly kind: string; readonly id: string; readonly step: string; readonly gone: boolean };

export type Filtered = {
  readonly name: string;
  readonly where: string;
  readonly opening: Opening;
  /** Keys of the snapshot. */
  readonly snapshot: readonly string[];
  readonly events: readonly FilterEvent[];
};

/** The keys each filter selects: before the first statement, and after each. */
export type Selected = readonly Readonly<Record<string, readonly string[]>>[];

export interface Disagreement {
  readonly name: "lostByFilter" | "leakedByFilter" | "leavingNotTold";
  /** In words: the first statement that shows it. */
  readonly first: string;
  /** The index of that statement; null for the snapshot. */
  readonly at: number | null;
  readonly events: number;
  /** How many statements carried that duty: to deliver, to withhold, or to report a row as gone. */
  readonly of: number;
}

export interface Agreement {
  /** Changes that had to be delivered. */
  readonly matching: number;
  /** Changes that had to be withheld. */
  readonly other: number;
  /** Rows that had to be reported as gone. */
  readonly left: number;
  readonly disagreements: readonly Disagreement[];
}

/**
 * Compares one filter's events with what SELECT returned before and after each statement: a change to a row selected afterwards
 * must be delivered, a change to a row never selected must not, and a row no longer selected must be reported as gone.
 */
export function holdAgainst(
  { name, snapshot, events: all }: Filtered,
  selected: Selected,
  written: readonly Step[],
): Agreement {
  const keys = selected.map((one) => new Set(one[name]));
  const lost = (at: number, id: string): boolean => keys[at]?.has(id) === true && keys[at + 1]?.has(id) !== true;
  const attributed = all.map((event) => ({ event, at: stepOf(event, written, (at) => lost(at, event.id)) }));
  const failures: { name: Disagreement["name"]; words: string; at: number | null }[] = [];
  const duties = { lostByFilter: 0, leakedByFilter: 0, leavingNotTold: 0 };
  const before = keys[0] ?? new Set();
  for (const key of before)
    if (!snapshot.includes(key)) failures.push({ name: "lostByFilter", words: `row ${key} of the snapshot`, at: null });
  for (const key of snapshot)
    if (!before.has(key)) failures.push({ name: "leakedByFilter", words: `row ${key} of the snapshot`, at: null });
  for (const [at, step] of written.entries()) {
    const key = String(step.id);
    const [was, is] = [keys[at]?.has(key) === true, keys[at + 1]?.has(key) === true];
    const events = attributed.filter((one) => one.at === at).map(({ event }) => event);
    const duty = is || (was && step.kind === "delete") ? "lostByFilter" : was ? "leavingNotTold" : "leakedByFilter";
    duties[duty] += 1;
    const kept =
      duty === "leakedByFilter"
        ? events.length === 0
        : events.some(({ gone }) => duty === "leavingNotTold" || gone !== is);
    if (!kept) failures.push({ name: duty, words: `${step.kind} of row ${key}`, at });
  }
  for (const { event } of attributed.filter(({ at }) => at === undefined))
    failures.push({
      name: "leakedByFilter",
      words: `${event.kind} of row ${event.id}, caused by no statement`,
      at: null,
    });
  const disagreements = (["lostByFilter", "leakedByFilter", "leavingNotTold"] as const).flatMap((kind) => {
    const these = failures.filter((failure) => failure.name === kind);
    const [first] = these;
    return first === undefined
      ? []
      : [{ name: kind, first: first.words, at: first.at, events: these.length, of: duties[kind] }];
  });
  return {
    matching: duties.lostByFilter,
    other: duties.leakedByFilter,
    left: duties.leavingNotTold,
    disagreements,
  };
}

/**
 * Which statement caused an event: by its number. A row that is gone may carry its old number, its new one, or none, so the
 * statement is the one that took the row out of the filter.
 */
function stepOf(
  { id, step, gone }: FilterEvent,
  written: readonly Step[],
  lost: (at: number) => boolean,
): number | undefined {
  // Zero where it carries none.
  const number = Number(step);
  const own = written.findIndex((one, at) => String(one.id) === id && at + 1 === number);
  if (!gone) return own === -1 ? undefined : own;
  const candidates = [...written.keys()].filter(
    (at) => String(written[at]?.id) === id && written[at]?.kind !== "insert" && !(at + 1 < number),
  );
  return candidates.find(lost) ?? candidates[0];
}
