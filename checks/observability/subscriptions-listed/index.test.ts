import fc from "fast-check";
import { expect, test } from "vitest";
import { judged, latePace, yes } from "../../vocabulary/evidence.ts";
import { subscriptionsListed } from "./index.ts";
import proof from "./proof.ts";

const endings = ["unsubscribe", "close", "cut"] as const;
const user = "kr_a1b2c_user_1";
const rowOf = (ending: string) => ({
  id: `kr_a1b2c_1_${ending}`,
  user,
  table: "kr_a1b2c_1.listened",
  query: `SELECT * FROM kr_a1b2c_1.listened WHERE id > ${ending.length}`,
});
const rows = endings.map(rowOf);
/** Others of this user may be listed, too. */
const others = fc.array(
  fc.record({ id: fc.stringMatching(/^q\d{1,3}$/), user: fc.constant(user), table: fc.string(), query: fc.string() }),
  { maxLength: 6 },
);
const look = (some: readonly (typeof rows)[number][]) => ({ said: yes(), rows: some });

/** Ours among others, in any order and with the query in any case; gone one after the other. */
const legal = fc
  .record({ before: others, after: others, ms: fc.nat(9_999), loud: fc.boolean() })
  .chain(({ before, after, ms, loud }) => {
    const told = rows.map((row) => ({ ...row, query: loud ? row.query.toUpperCase() : row.query }));
    return fc.shuffledSubarray([...told, ...before], { minLength: told.length + before.length }).map((there) => ({
      held: endings.map((ending, at) => ({
        ending,
        row: rowOf(ending),
        there: look(there),
        after: look([...told.slice(at + 1), ...after]),
        goneAfterMs: ms as number | null,
        listing: latePace,
        leaving: latePace,
      })),
    }));
  });
const named = (verdict: ReturnType<typeof subscriptionsListed.judge>): string[] =>
  verdict.kind === "fail" ? verdict.found.map(({ name, case: which }) => `${name} ${which}`) : [verdict.kind];
const which = fc.constantFrom(...endings);

test("three that are listed among others and gone in time pass", () => {
  fc.assert(
    fc.property(legal, (seen) => {
      expect(subscriptionsListed.judge(seen, {}).kind).toBe("pass");
    }),
  );
});

test("a live query that is not listed is reported", () => {
  fc.assert(
    fc.property(legal, which, (seen, ending) => {
      const held = seen.held.map((one) => ({
        ...one,
        there: look(one.there.rows.filter(({ id }) => id !== rowOf(ending).id)),
      }));
      expect(named(subscriptionsListed.judge({ ...seen, held }, {}))).toEqual([`missing ${ending}`]);
    }),
  );
});

test("a live query that is listed incorrectly is reported", () => {
  fc.assert(
    fc.property(legal, which, fc.constantFrom("user", "table", "query"), (seen, ending, what) => {
      const held = seen.held.map((one) => ({
        ...one,
        there: look(one.there.rows.map((row) => (row.id === rowOf(ending).id ? { ...row, [what]: "other" } : row))),
      }));
      expect(named(subscriptionsListed.judge({ ...seen, held }, {}))).toEqual([`wrong ${what}`]);
    }),
  );
});

test("a live query that stays listed is reported", () => {
  fc.assert(
    fc.property(legal, which, (seen, ending) => {
      const held = seen.held.map((one) => (one.ending === ending ? { ...one, goneAfterMs: null } : one));
      expect(named(subscriptionsListed.judge({ ...seen, held }, {}))).toEqual([`lingering ${ending}`]);
    }),
  );
});

type Seen = Parameters<typeof subscriptionsListed.judge>[0];
const [written] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(subscriptionsListed, { ...written, ...change });

test("the first that could not be read, or one that is not there, decides nothing, and each time is told", () => {
  const [first, ...rest] = written.held;
  if (first === undefined) throw new Error("nothing was held");
  expect(judge({ held: [{ ...first, there: { ...first.there, rows: null } }, ...rest] })).toEqual([
    expect.stringMatching(/^unknown: the view of live queries could not be read/),
  ]);
  expect(judge({ held: rest })).toEqual(["unknown: only 2 of 3 live queries were held"]);
  expect(judge({})).toEqual([
    expect.stringMatching(/ms after its unsubscribe, .* ms after its close, .* ms after its cut$/),
  ]);
});
