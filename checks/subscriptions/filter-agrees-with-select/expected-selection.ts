/** Which rows each predicate must select: the predicates again, in SQL's three-valued logic, over a model of the table. */
import { predicates, seeds, steps, type Selected, type Step } from "./filter-history.ts";

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
  const n = text(set["n"], before?.n?.toString());
  return {
    kind: text(set["kind"], before?.kind),
    n: n === null ? null : Number(n),
    big: text(set["big"], before?.big),
    note: text(set["note"], before?.note),
  };
}

/** The keys each filter selects, before the first statement and after each. */
export function expectedSelection(): Selected {
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

/** Where SELECT itself disagrees with the model, in words; undefined if it agrees. Then nothing can be held against the filter. */
export function wrongSelection(selected: Selected, name: string): string | undefined {
  const expected = expectedSelection();
  const at = selected.findIndex(
    (state, n) => [...(state[name] ?? [])].toSorted().join() !== [...(expected[n]?.[name] ?? [])].toSorted().join(),
  );
  if (at === -1) return undefined;
  const list = (keys: readonly string[] | undefined): string =>
    keys === undefined || keys.length === 0 ? "none" : keys.join(", ");
  const step = steps[at - 1];
  const after = step === undefined ? "at first" : `after the ${step.kind} of row ${step.id}`;
  return `returned rows ${list(selected[at]?.[name])} ${after}, expected ${list(expected[at]?.[name])}`;
}
