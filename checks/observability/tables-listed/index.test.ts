import fc from "fast-check";
import { expect, test } from "vitest";
import { yes } from "../../vocabulary/evidence.ts";
import { tablesListed } from "./index.ts";

const rows = [
  { table: "t_shared", type: "shared", options: '{"access_level":"Public"}' },
  { table: "t_stream", type: "stream", options: '{"ttl_seconds":4321}' },
  { table: "t_user", type: "user", options: '{"row_limit":777,"interval_seconds":888}' },
];
const untyped = "information_schema.tables";
const places = ["system.tables", untyped, "SHOW TABLES", "SHOW TABLES IN"];
type Rows = readonly (typeof rows)[number][];

/** Each place lists the three in any order; at most two could not be read completely. */
const legal = fc
  .record({
    order: fc.shuffledSubarray(rows, { minLength: rows.length }),
    unread: fc.subarray(places, { maxLength: 2 }),
  })
  .map(({ order, unread }) => {
    const look = (listed: Rows) =>
      places.map((place) => ({ place, said: yes(), rows: unread.includes(place) ? null : listed }));
    return {
      seen: { there: look(order), dropped: rows.map(() => yes()), after: look([]) },
      read: places.filter((place) => !unread.includes(place)),
    };
  });
const spoiled = legal.chain(({ seen, read }) =>
  fc.record({
    seen: fc.constant(seen),
    place: fc.constantFrom(...read),
    table: fc.constantFrom(...rows.map((row) => row.table)),
  }),
);
type Looks = { place: string; said: ReturnType<typeof yes>; rows: Rows | null }[];
const change = (looks: Looks, where: string, by: (listed: Rows) => Rows): Looks =>
  looks.map((one) => (one.place === where && one.rows !== null ? { ...one, rows: by(one.rows) } : one));
const named = (verdict: ReturnType<typeof tablesListed.judge>): string[] =>
  verdict.kind === "fail" ? verdict.found.map(({ name, case: which }) => `${name} in ${which}`) : [verdict.kind];

test("one of each type, in any order, passes", () => {
  fc.assert(
    fc.property(legal, ({ seen }) => {
      expect(tablesListed.judge(seen, {}).kind).toBe("pass");
    }),
  );
});

test("a missing table is reported with its place", () => {
  fc.assert(
    fc.property(spoiled, ({ seen, place, table }) => {
      const there = change(seen.there, place, (listed) => listed.filter((row) => row.table !== table));
      expect(named(tablesListed.judge({ ...seen, there }, {}))).toEqual([`missing in ${place}`]);
    }),
  );
});

test("a table that is listed incorrectly or twice is reported; a list without types is not judged on them", () => {
  const ways = {
    type: (row: Rows[number]) => [{ ...row, type: "view" }],
    options: (row: Rows[number]) => [{ ...row, options: "{}" }],
    number: (row: Rows[number]) => [row, row],
  };
  fc.assert(
    fc.property(spoiled, fc.constantFrom(...Object.values(ways)), ({ seen, place, table }, way) => {
      const there = change(seen.there, place, (listed) =>
        listed.flatMap((row) => (row.table === table ? way(row) : [row])),
      );
      expect(named(tablesListed.judge({ ...seen, there }, {}))).toEqual(
        place === untyped ? ["pass"] : [`wrong in ${place}`],
      );
    }),
  );
});

test("a table that stays listed is reported with its place", () => {
  fc.assert(
    fc.property(spoiled, ({ seen, place, table }) => {
      const after = change(seen.after, place, () => rows.filter((row) => row.table === table));
      expect(named(tablesListed.judge({ ...seen, after }, {}))).toEqual([`lingering in ${place}`]);
    }),
  );
});
