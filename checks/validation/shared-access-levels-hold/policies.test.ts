import { expect, test } from "vitest";
import { foundIn, judged, no, nothing, yes } from "../../vocabulary/evidence.ts";
import { deniedFor, readsFor, sharedReads } from "./attempts.ts";
import { sharedAccessLevelsHold } from "./index.ts";
import { levelsFor } from "./levels.ts";
import { received, soundLevels, withAttempt } from "./proof.ts";

const names = (ways: readonly { readonly name: string }[]): string[] => ways.map(({ name }) => name);

test("what an account tries where it tries some ways", () => {
  expect(names(readsFor("some"))).toEqual(["SELECT *", "COUNT(*)", "copy into an own table"]);
  expect(readsFor("all")).toEqual(sharedReads);
  for (const access of ["levels", "policies"] as const) {
    expect(names(deniedFor(access, "some"))).toEqual(["INSERT", "UPDATE by key", "open it"]);
    expect(deniedFor(access, "all")).toHaveLength(8);
  }
});

test("how open tables are by policies, and what makes them", () => {
  const levels = levelsFor("policies");
  expect(levels.map(({ level, usersRead, servicesMay }) => [level, usersRead, servicesMay])).toEqual([
    ["PUBLIC", true, true],
    ["PRIVATE", false, true],
    ["default", false, false],
  ]);
  const policies = levels.map(({ make }) => make("ns.t").filter((sql) => sql.startsWith("CREATE POLICY")).length);
  expect(policies).toEqual([2, 1, 0]);
  expect(levels.map(({ make }) => make("ns.t").length - 1)).toEqual(policies);
});

/** By policies: the live query of one account. */
const listening = (level: string, role: string, change: object): string[] => {
  const sound = soundLevels("policies");
  const tables = sound.tables.map((table) => ({
    ...table,
    parties: table.parties.map((party) =>
      table.level === level && party.role === role ? { ...party, listening: { ...received(true), ...change } } : party,
    ),
  }));
  return judged(sharedAccessLevelsHold, { ...sound, tables });
};
const passes = [expect.stringMatching(/^pass/)];
const opening = (kind: "refused" | "unsure", reason = "") =>
  ({ kind, code: "CODE", message: "no", reason, exchange: 1 }) as never;

test.each<readonly [string, string[], unknown[]]>([
  ["no rows of a closed table", listening("PRIVATE", "user", { rows: [] }), passes],
  ["a refusal of a closed table", listening("PRIVATE", "user", { opening: opening("refused"), rows: null }), passes],
  [
    "rows of a closed table",
    listening("PRIVATE", "user", { rows: [["1"]] }),
    [expect.stringMatching(/^tooOpen: PRIVATE: live query, as user: .*it began with 1"/)],
  ],
  [
    "unread rows of a closed table",
    listening("PRIVATE", "user", { rows: null }),
    [expect.stringMatching(/^tooOpen: PRIVATE: live query, as user: .*it began with no rows"/)],
  ],
  [
    "no rows of an open table",
    listening("PUBLIC", "user", { rows: [] }),
    ["unknown: PUBLIC: live query, as user, began with no rows"],
  ],
  [
    "no rows of a closed table, and no answer",
    listening("PRIVATE", "user", { opening: opening("unsure"), rows: [] }),
    ["unknown: PRIVATE: live query, as user: CODE no"],
  ],
])("by policies, a live query: %s", (_, got, expected) => {
  expect(got).toEqual(expected);
});

const trying = (way: string, change: object, access: "policies" | "levels" = "policies"): string[] =>
  judged(
    sharedAccessLevelsHold,
    withAttempt(
      access === "policies" ? "default" : "PRIVATE",
      access === "policies" ? "service" : "user",
      way,
      change,
      access,
    ),
  );
const doubt = (way: string): unknown[] => [expect.stringContaining(`unknown: default: ${way}, as service`)];

test("what shows that a policy hides the rows", () => {
  expect(trying("SELECT *", { rows: [] })).toEqual(passes);
  expect(trying("SELECT *", { rows: null })).toEqual(doubt("SELECT *"));
  expect(trying("SELECT *", { rows: [], said: nothing() })).toEqual(doubt("SELECT *"));
  expect(trying("SUM", { rows: [["0", "null"]] })).toEqual(passes);
  expect(trying("SUM", { rows: [["0", "1"]] })).toEqual(doubt("SUM"));
  expect(trying("INSERT", { said: yes(), count: 0 })).toEqual(passes);
  expect(trying("INSERT", { said: nothing(), count: 0 })).toEqual(doubt("INSERT"));
  expect(trying("INSERT", { said: no("X", "no", "rule"), count: 0, state: "unread" })).toEqual(doubt("INSERT"));
  expect(trying("INSERT", { said: yes(), count: 0 }, "levels")).toEqual([
    expect.stringContaining("tooOpen: PRIVATE: INSERT, as user"),
  ]);
});

test("the requests that show a late revoke: the change and the read", () => {
  const sound = soundLevels();
  const changes = sound.changes.changes.map((one, at) =>
    at === 1
      ? {
          ...one,
          said: { ...one.said, exchange: 70 },
          reads:
            sound.changes.changes[0]?.reads.map((each) => ({ ...each, said: { ...each.said, exchange: 71 } })) ?? [],
        }
      : one,
  );
  const found = foundIn(sharedAccessLevelsHold, { ...sound, changes: { ...sound.changes, changes } });
  expect(found.map(({ name, sent }) => [name, sent])).toEqual([
    ["lateRevoke", [70, 71]],
    ["lateRevoke", [70, 71]],
  ]);
});
