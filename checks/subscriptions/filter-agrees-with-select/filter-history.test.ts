import fc from "fast-check";
import { expect, test } from "vitest";
import { ready } from "../../vocabulary/opening-evidence.ts";
import { soundEvents, soundFilters } from "./filter-evidence.ts";
import { holdAgainst, predicates, steps, type Filtered, type Selected, type Step } from "./filter-history.ts";

const plan = fc.array(fc.record({ id: fc.integer({ min: 1, max: 4 }), remove: fc.boolean(), match: fc.boolean() }), {
  minLength: 4,
  maxLength: 40,
});

/** A history that a correct server could have made: whether a row matches is random. */
function legal(plans: readonly { id: number; remove: boolean; match: boolean }[]): {
  written: Step[];
  selected: Selected;
  filtered: Filtered;
} {
  const there = new Map<number, boolean>();
  const written: Step[] = [];
  const matching = () => ({ f: [...there].flatMap(([id, match]) => (match ? [String(id)] : [])) });
  const selected = [matching()];
  for (const { id, remove, match } of plans) {
    // A deleted key does not come back: reused keys are not this judge's subject.
    if (!there.has(id) && written.some((step) => step.id === id)) continue;
    const kind = !there.has(id) ? "insert" : remove ? "delete" : "update";
    written.push({ kind, id, set: {} });
    if (kind === "delete") there.delete(id);
    else there.set(id, match);
    selected.push(matching());
  }
  const events = soundEvents("f", selected, written);
  return { written, selected, filtered: { name: "f", where: "", opening: ready(), snapshot: [], events } };
}

test("a random legal history agrees", () => {
  fc.assert(
    fc.property(plan, (plans) => {
      const { written, selected, filtered } = legal(plans);
      const { disagreements, matching, other, left } = holdAgainst(filtered, selected, written);
      expect(disagreements).toEqual([]);
      expect(matching + other + left).toBe(written.length);
    }),
  );
});

test("a row that leaves may be reported with its old number, its new one or none, or as it is now", () => {
  // Key 7 enters the filter, leaves it, comes back, and is deleted.
  const history = [
    { kind: "insert", id: 7, set: {} },
    { kind: "update", id: 7, set: {} },
    { kind: "update", id: 7, set: {} },
    { kind: "delete", id: 7, set: {} },
  ] as const;
  const selected = [{ f: [] }, { f: ["7"] }, { f: [] }, { f: ["7"] }, { f: [] }];
  const [came, left, back, gone] = soundEvents("f", selected, history);
  if (came === undefined || left === undefined || back === undefined || gone === undefined)
    throw new Error("four events");
  for (const leaving of [left, { ...left, step: "2" }, { ...left, step: "" }, { ...left, step: "2", gone: false }]) {
    const filtered = { name: "f", where: "", opening: ready(), snapshot: [], events: [came, leaving, back, gone] };
    expect(holdAgainst(filtered, selected, history).disagreements).toEqual([]);
  }
});

test("one random corruption is named", () => {
  fc.assert(
    fc.property(plan, fc.nat(), (plans, at) => {
      const { written, selected, filtered } = legal(plans);
      const namesFor = (events: Filtered["events"]) =>
        holdAgainst({ ...filtered, events }, selected, written).disagreements.map(({ name }) => name);
      const lost = filtered.events[at % Math.max(1, filtered.events.length)];
      if (lost !== undefined) {
        const name = namesFor(filtered.events.filter((event) => event !== lost));
        expect(name).toHaveLength(1);
        expect(["lostByFilter", "leavingNotTold"]).toContain(name[0]);
      }
      const unmatched = [...written.entries()].filter(
        ([n, step]) => ![n, n + 1].some((state) => selected[state]?.["f"]?.includes(String(step.id)) === true),
      );
      const leaked = unmatched[at % Math.max(1, unmatched.length)];
      if (leaked !== undefined) {
        const [n, step] = leaked;
        const event = { kind: step.kind, id: String(step.id), step: String(n + 1), gone: false };
        expect(namesFor([...filtered.events, event])).toEqual(["leakedByFilter"]);
      }
    }),
  );
});

test("the statements exercise every duty of every filter", () => {
  const { filters, selected } = soundFilters();
  const walked = filters.map((one) => ({ name: one.name, ...holdAgainst(one, selected, steps) }));
  expect(walked).toHaveLength(predicates.length);
  expect(walked.filter(({ matching, other }) => matching === 0 || other === 0)).toEqual([]);
  // The text with a quote is never changed to another.
  expect(walked.filter(({ left }) => left === 0).map(({ name }) => name)).toEqual(["quote in quotes"]);
});
