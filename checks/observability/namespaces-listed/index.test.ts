import fc from "fast-check";
import { expect, test } from "vitest";
import { judged, nothing, yes } from "../../vocabulary/evidence.ts";
import { namespacesListed } from "./index.ts";
import proof from "./proof.ts";

const names = ["a", "b", "c"].map((suffix) => `kr_a1b2c_1_${suffix}`);
const [kept = ""] = names;
const places = ["system.namespaces", "SHOW NAMESPACES", "information_schema.schemata"];

/** Each place lists what exists, in any order; at most one could not be read completely. */
const legal = fc
  .record({
    order: fc.shuffledSubarray(names, { minLength: names.length }),
    unread: fc.constantFrom(...places, "none"),
  })
  .map(({ order, unread }) => {
    const look = (listed: readonly string[]) =>
      places.map((place) => ({ place, said: yes(), names: place === unread ? null : listed }));
    return {
      seen: {
        names,
        kept,
        there: look(order),
        dropped: [yes(), yes()],
        after: look([kept]),
      },
      read: places.filter((place) => place !== unread),
    };
  });
const spoiled = legal.chain(({ seen, read }) =>
  fc.record({ seen: fc.constant(seen), place: fc.constantFrom(...read), name: fc.constantFrom(...names) }),
);
type Looks = { place: string; said: ReturnType<typeof yes>; names: readonly string[] | null }[];
const change = (looks: Looks, where: string, by: (listed: readonly string[]) => readonly string[]): Looks =>
  looks.map((one) => (one.place === where && one.names !== null ? { ...one, names: by(one.names) } : one));
const named = (verdict: ReturnType<typeof namespacesListed.judge>): string[] =>
  verdict.kind === "fail" ? verdict.found.map(({ name, case: which }) => `${name} in ${which}`) : [verdict.kind];

test("exactly ours, in any order, passes", () => {
  fc.assert(
    fc.property(legal, ({ seen }) => {
      expect(namespacesListed.judge(seen, {}).kind).toBe("pass");
    }),
  );
});

test("a missing or duplicate namespace is reported with its place", () => {
  fc.assert(
    fc.property(spoiled, fc.boolean(), ({ seen, place, name }, twice) => {
      const there = change(seen.there, place, (listed) =>
        twice ? [...listed, name] : listed.filter((one) => one !== name),
      );
      expect(named(namespacesListed.judge({ ...seen, there }, {}))).toEqual([
        `${twice ? "extra" : "missing"} in ${place}`,
      ]);
    }),
  );
});

test("a kept namespace that disappears with the dropped ones is reported", () => {
  fc.assert(
    fc.property(spoiled, ({ seen, place }) => {
      const after = change(seen.after, place, () => []);
      expect(named(namespacesListed.judge({ ...seen, after }, {}))).toEqual([`missing in ${place}`]);
    }),
  );
});

test("a dropped namespace that is still listed is reported with its place", () => {
  fc.assert(
    fc.property(spoiled, fc.constantFrom(...names.slice(1)), ({ seen, place }, name) => {
      const after = change(seen.after, place, (listed) => [...listed, name]);
      const finding = place.startsWith("information_schema") ? "ghostSchema" : "lingering";
      expect(named(namespacesListed.judge({ ...seen, after }, {}))).toEqual([`${finding} in ${place}`]);
    }),
  );
});

test("a namespace that was not dropped may still be listed", () => {
  fc.assert(
    fc.property(legal, ({ seen }) => {
      const undropped = { ...seen, dropped: [yes(), nothing()], after: seen.there };
      expect(namespacesListed.judge(undropped, {}).kind).toBe("unknown");
    }),
  );
});

type Seen = Parameters<typeof namespacesListed.judge>[0];
const [written] = proof.holds as readonly [Seen];
const judge = (changes: Partial<Seen>): string[] => judged(namespacesListed, { ...written, ...changes });

test("of the lists before and after two must have been read", () => {
  const only = (count: number, looks: Seen["there"]) =>
    looks.map((one, at) => (at < count ? one : { ...one, names: null }));
  const tooFew = ["unknown: fewer than two of the listings could be read completely"];
  expect(judge({ there: only(1, written.there) })).toEqual(tooFew);
  expect(judge({ after: only(1, written.after) })).toEqual(tooFew);
  expect(judge({ there: only(2, written.there), after: only(2, written.after) })).toEqual([
    expect.stringContaining("listed in 2 places; after two drops, exactly 1 in 2"),
  ]);
});

test("a name that was never made is extra", () => {
  const there = written.there.map((one, at) =>
    at === 0 ? { ...one, names: [...(one.names ?? []), "kr_a1b2c_1_z"] } : one,
  );
  expect(judge({ there })).toEqual([expect.stringMatching(/^extra: system.namespaces: .*"kr_a1b2c_1_z"/)]);
});
