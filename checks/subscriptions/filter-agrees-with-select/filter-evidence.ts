/** Filters as a correct server evaluates them, for proofs and tests: the predicates again, in SQL's three-valued logic. */
import { predicates, seeds, steps, type FilterEvent, type Selected, type Step } from "./filter-history.ts";
import { ready } from "../../vocabulary/opening-evidence.ts";

type Cells = { kind: string | null; n: number | null; big: string | null; note: string | null };

const large = "9007199254740993";
const when = <T>(value: T | null, holds: (value: T) => boolean): boolean => value !== null && holds(value);

const holds: Readonly<Record<string, (cells: Cells) => boolean>> = {
  equal: ({ kind }) => kind === "error",
  "not equal": ({ kind }) => when(kind, (text) => text !== "error"),
  less: ({ n }) => when(n, (number) => number < 5),
  like: ({ kind }) => when(kind, (text) => text.startsWith("err")),
  and: ({ kind, n }) => kind === "error" && when(n, (number) => number < 5),
  or: ({ kind, n }) => kind === "error" || when(n, (number) => number > 8),
  not: ({ kind }) => when(kind, (text) => text !== "error"),
  in: ({ kind }) => kind === "error" || kind === "warn",
  between: ({ n }) => when(n, (number) => number >= 1 && number <= 4),
  "is null": ({ note }) => note === null,
  function: ({ kind }) => kind?.toLowerCase() === "error",
  "quote in quotes": ({ kind }) => kind === "it's",
  "large integer": ({ big }) => big === large,
};

function cellsAfter(before: Cells | undefined, { set }: Step): Cells {
  const text = (literal: string | undefined, was: string | null | undefined): string | null =>
    literal === undefined
      ? (was ?? null)
      : literal === "NULL"
        ? null
        : literal.replace(/^'|'$/g, "").replaceAll("''", "'");
  const n = text(set["n"], before?.n === null || before === undefined ? null : String(before.n));
  return {
    kind: text(set["kind"], before?.kind),
    n: n === null ? null : Number(n),
    big: text(set["big"], before?.big),
    note: text(set["note"], before?.note),
  };
}

/** The keys each filter selects, before the first statement and after each. */
export function soundSelected(): Selected {
  const rows = new Map<string, Cells>();
  const selected = (): Selected[number] =>
    Object.fromEntries(
      predicates.map(({ name }) => [
        name,
        [...rows].flatMap(([id, cells]) => (holds[name]?.(cells) === true ? [id] : [])),
      ]),
    );
  const apply = (step: Step): void => {
    if (step.kind === "delete") rows.delete(String(step.id));
    else rows.set(String(step.id), cellsAfter(rows.get(String(step.id)), step));
  };
  for (const seed of seeds) apply(seed);
  return [
    selected(),
    ...steps.map((step) => {
      apply(step);
      return selected();
    }),
  ];
}

/** The events a filter must deliver: a row that leaves is reported as gone, with its old statement number. */
export function soundEvents(name: string, selected: Selected, written: readonly Step[]): FilterEvent[] {
  const numbers = new Map<string, number>();
  return written.flatMap((step, at): FilterEvent[] => {
    const id = String(step.id);
    const had = numbers.get(id) ?? 0;
    numbers.set(id, at + 1);
    const [was, is] = [at, at + 1].map((state) => selected[state]?.[name]?.includes(id) === true);
    if (is === true) return [{ kind: was === true ? "update" : "insert", id, step: String(at + 1), gone: false }];
    return was === true ? [{ kind: "delete", id, step: String(had), gone: true }] : [];
  });
}

export function soundFilters() {
  const selected = soundSelected();
  return {
    selected,
    acknowledged: steps.map(() => true),
    exchanges: steps.map((_, at) => at + 10),
    controls: [{ delivered: steps.length, fenced: true, opening: ready() }],
    filters: predicates.map(({ name, where }) => ({
      name,
      where,
      opening: ready(),
      snapshot: [...(selected[0]?.[name] ?? [])],
      events: soundEvents(name, selected, steps),
    })),
  };
}
