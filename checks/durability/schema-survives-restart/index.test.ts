import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { schemaSurvivesRestart } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(schemaSurvivesRestart, proof);
const judge = (change: Partial<typeof sound>): string[] => judged(schemaSurvivesRestart, { ...sound, ...change });
const place = (text: string | null, name = "DESCRIBE TABLE") => ({
  place: name,
  text,
  said: text === null ? "timeout" : "200",
  exchange: 3,
});
const passes = [expect.stringMatching(/^pass: /)];
const digits = Array.from({ length: 12 }, (_, at) => `${String(at).padStart(2, "0")}-456789`).join("");
const changedAt = (at: number): string => `${digits.slice(0, at)}X${digits.slice(at + 1)}`;
/** What is shown of the text before and after, of which one place differs. */
function shown(before: string, after: string): readonly string[] {
  const [finding = ""] = judge({ before: [place(before)], after: [place(after)] });
  const data = JSON.parse(finding.slice("schemaChanged: DESCRIBE TABLE: ".length)) as { before: string; after: string };
  return [data.before, data.after];
}

test.each([
  ["at the start", digits, changedAt(0), [`${digits.slice(0, 80)}…`, `${changedAt(0).slice(0, 80)}…`]],
  ["at the fortieth place", digits, changedAt(40), [`${digits.slice(0, 80)}…`, `${changedAt(40).slice(0, 80)}…`]],
  ["one place later", digits, changedAt(41), [`…${digits.slice(1, 81)}…`, `…${changedAt(41).slice(1, 81)}…`]],
  ["in the middle", digits, changedAt(60), [`…${digits.slice(20, 100)}…`, `…${changedAt(60).slice(20, 100)}…`]],
  ["near the end", digits, changedAt(99), [`…${digits.slice(59)}`, `…${changedAt(99).slice(59)}`]],
  ["where it is just shown whole", digits.slice(0, 80), "X", [digits.slice(0, 80), "X"]],
  ["where one character is left", digits.slice(0, 81), "X", [`${digits.slice(0, 80)}…`, "X"]],
  ["where it ends sooner", "[1,2]", "[1", ["[1,2]", "[1"]],
  ["where it goes on", "[1", "[1,2]", ["[1", "[1,2]"]],
])("a description that differs %s is shown from a little before", (_, before, after, expected) => {
  expect(shown(before, after)).toEqual(expected);
});

test("each place is compared with itself, and one that is not there afterwards was not seen", () => {
  const before = [place("a"), place("b", "system.tables")];
  expect(judge({ before, after: [place("a"), place("c", "system.tables")] })).toEqual([
    'schemaChanged: system.tables: {"place":"system.tables","before":"b","after":"c"}',
  ]);
  expect(judge({ before, after: before })).toEqual(passes);
  expect(judge({ before, after: [place("a")] })).toEqual([
    "unknown: system.tables was not looked at after the restart",
  ]);
  expect(judge({ before, after: [place(null), place("b", "system.tables")] })).toEqual([
    "unknown: DESCRIBE TABLE was not answered: timeout",
  ]);
  expect(judge({ before: [place(null)], after: [place("a")] })).toEqual([
    "unknown: DESCRIBE TABLE was not answered: timeout",
  ]);
});

test.each([
  ["7", expect.stringMatching(/^pass: /)],
  ["8", 'ruleForgotten: DEFAULT: {"rule":"DEFAULT","statement":"a new row has the level 8, expected 7"}'],
  ["NULL", 'ruleForgotten: DEFAULT: {"rule":"DEFAULT","statement":"a new row has the level NULL, expected 7"}'],
  [null, "unknown: no row could be written after the restart"],
])("a default that gives %s", (level, expected) => {
  expect(judge({ level })).toEqual([expected]);
});

const clean = no("SQL_EXECUTION_ERROR", "NOT NULL constraint violation", "constraint");
const [forgotten, unknown] = [
  'ruleForgotten: NOT NULL: {"rule":"NOT NULL","statement":"a row that breaks it was acknowledged"}',
  "unknown: a row that breaks NOT NULL got no answer that we know: no answer within 15000 ms",
];
test.each([
  ["is refused as before", clean, clean, expect.stringMatching(/^pass: 1 descriptions of the table the same, 1 rules/)],
  ["is acknowledged", clean, yes(), forgotten],
  ["gets no answer", clean, nothing(), unknown],
  [
    "was acknowledged before",
    yes(),
    yes("again"),
    "unknown: NOT NULL was not enforced before the restart either: done",
  ],
])("a row that breaks a rule and %s", (_, before, after, expected) => {
  expect(judge({ rules: [{ rule: "NOT NULL", before, after }] })).toEqual([expected]);
});
