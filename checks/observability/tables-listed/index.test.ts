import fc from "fast-check";
import { expect, test } from "vitest";
import { judged, yes } from "../../vocabulary/evidence.ts";
import { tablesListed } from "./index.ts";
import proof from "./proof.ts";

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
      seen: { sharedAccess: "levels" as const, there: look(order), dropped: rows.map(() => yes()), after: look([]) },
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

type Seen = Parameters<typeof tablesListed.judge>[0];
const [written] = proof.holds as readonly [Seen];
const judge = (changes: Partial<Seen>): string[] => judged(tablesListed, { ...written, ...changes });

test("of the lists before and after two must have been read", () => {
  const only = (count: number, looks: Seen["there"]) =>
    looks.map((one, at) => (at < count ? one : { ...one, rows: null }));
  expect(judge({ there: only(1, written.there) })).toEqual(["unknown: only 1 of 4 lists could be read completely"]);
  expect(judge({ after: only(1, written.after) })).toEqual(["unknown: only 1 of 4 lists could be read completely"]);
  expect(judge({ there: only(2, written.there), after: only(2, written.after) })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
});

test("without access levels a SHARED table must show both numbers of its flush policy", () => {
  const seen = (options: string) => {
    const listed = rows.map((row) => (row.type === "shared" ? { ...row, options } : row));
    const look = (all: Rows) => places.map((place) => ({ place, said: yes(), rows: all }));
    return { sharedAccess: "policies" as const, there: look(listed), dropped: rows.map(() => yes()), after: look([]) };
  };
  expect(judged(tablesListed, seen("rows 666, interval 555"))).toEqual([expect.stringMatching(/^pass/)]);
  for (const options of ["rows 666", "interval 555"])
    expect(judged(tablesListed, seen(options))[0]).toMatch(/^wrong: .*t_shared/);
});
