import fc from "fast-check";
import { expect, test } from "vitest";
import { ready } from "../../vocabulary/opening-evidence.ts";
import { expectedSelection, wrongSelection } from "./expected-selection.ts";
import { soundEvents, soundFilters } from "./filter-evidence.ts";
import {
  holdAgainst,
  predicates,
  steps,
  type Filtered,
  type FilterEvent,
  type Selected,
  type Step,
} from "./filter-history.ts";
import { filterAgreesWithSelect } from "./index.ts";

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

test("each filter selects these rows in the end", () => {
  expect(expectedSelection().at(-1)).toEqual({
    equal: ["2"],
    "not equal": ["10", "14"],
    less: [],
    like: ["2"],
    and: [],
    or: ["2", "14"],
    not: ["10", "14"],
    in: ["2"],
    between: [],
    "is null": ["3"],
    function: ["2", "14"],
    "quote in quotes": [],
    "large integer": ["2"],
  });
});

test("where SELECT is wrong is said", () => {
  const right = expectedSelection();
  const having = (at: number, ids: readonly string[] | undefined): string | undefined =>
    wrongSelection(
      right.map((one, n) => {
        const { equal, ...others } = one;
        return n === at
          ? { ...others, ...(ids === undefined ? {} : { equal: ids }) }
          : { ...others, equal: equal ?? [] };
      }),
      "equal",
    );
  expect(wrongSelection(right, "equal")).toBeUndefined();
  expect(having(0, [])).toBe("returned rows none at first, expected 1");
  expect(having(0, undefined)).toBe("returned rows none at first, expected 1");
  expect(having(1, ["1"])).toBe("returned rows 1 after the insert of row 10, expected 1, 10");
});

const at = (id: string, step: string, gone = false): FilterEvent => ({
  kind: gone ? "delete" : "insert",
  id,
  step,
  gone,
});
const against = (written: readonly Step[], selected: readonly string[][], rest: Partial<Filtered>): string[] =>
  holdAgainst(
    { name: "f", where: "", opening: ready(), snapshot: selected[0] ?? [], events: [], ...rest },
    selected.map((f) => ({ f })),
    written,
  ).disagreements.map(({ name, first, at: index, events, of }) => `${name}: ${first}, ${index}, ${events} of ${of}`);
const change = (kind: Step["kind"], id: number): Step => ({ kind, id, set: {} });

test("a snapshot that lacks a row or has one too many is named", () => {
  const snapshot = (...ids: string[]): string[] => against([], [["1", "2"]], { snapshot: ids });
  expect(snapshot("2", "1")).toEqual([]);
  expect(snapshot("2")).toEqual(["lostByFilter: row 1 of the snapshot, null, 1 of 0"]);
  expect(snapshot("1")).toEqual(["lostByFilter: row 2 of the snapshot, null, 1 of 0"]);
  expect(snapshot("3", "1", "2")).toEqual(["leakedByFilter: row 3 of the snapshot, null, 1 of 0"]);
});

test("an event that no statement caused is named, whoever has its number", () => {
  const written = [change("insert", 1)];
  expect(against(written, [[], ["1"]], { events: [at("1", "1"), at("9", "1")] })).toEqual([
    "leakedByFilter: insert of row 9, caused by no statement, null, 1 of 0",
  ]);
  expect(against(written, [[], ["1"]], { events: [at("9", "1")] })).toEqual([
    "lostByFilter: insert of row 1, 0, 1 of 1",
    "leakedByFilter: insert of row 9, caused by no statement, null, 1 of 0",
  ]);
});

test("a row that is gone belongs to the statement that took it out", () => {
  const written = [change("insert", 1), change("update", 1), change("update", 1), change("update", 1)];
  // Without a number, and after an update that left it outside.
  const late = [[], [], [], ["1"], []];
  expect(against(written, late, { events: [at("1", "3"), at("1", "", true)] })).toEqual([]);
  // With the number it had, and after it was taken out before.
  const twice = [["1"], ["1"], [], ["1"], []];
  const events = [at("1", "1"), at("1", "1", true), at("1", "3"), at("1", "3", true)];
  expect(against(written, twice, { snapshot: ["1"], events })).toEqual([]);
});

test("a row that is gone and was never there is held against its own update or delete", () => {
  const written = [change("update", 2), change("insert", 1), change("update", 1)];
  expect(against(written, [["2"], ["2"], ["2"], ["2"]], { events: [at("2", "1"), at("1", "", true)] })).toEqual([
    "leakedByFilter: update of row 1, 2, 1 of 2",
  ]);
});

test("a finding points to the subscription and to the statement", () => {
  const sound = soundFilters();
  const sentFor = (change_: (events: readonly FilterEvent[]) => FilterEvent[]): unknown => {
    const filters = sound.filters.map((one) => (one.name === "equal" ? { ...one, events: change_(one.events) } : one));
    const verdict = filterAgreesWithSelect.judge({ ...sound, filters }, filterAgreesWithSelect.limits);
    return verdict.kind === "fail" ? verdict.found.map(({ name, sent }) => [name, sent]) : verdict;
  };
  const exchange = ready().exchange;
  expect(sentFor((events) => events.filter(({ step }) => step !== "7"))).toEqual([["lostByFilter", [exchange, 16]]]);
  expect(sentFor((events) => [...events, at("99", "1")])).toEqual([["leakedByFilter", [exchange]]]);
});
