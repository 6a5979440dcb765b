/** Filters as a correct server evaluates them, for proofs and tests. */
import { expectedSelection } from "./expected-selection.ts";
import { predicates, steps, type FilterEvent, type Selected, type Step } from "./filter-history.ts";
import { ready } from "../../vocabulary/opening-evidence.ts";

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
  const selected = expectedSelection();
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
