import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { kalamScriptRepeatable } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof kalamScriptRepeatable.judge>[0];
const [sound] = proof.holds as readonly [Seen];
/** The runs of the first format, each with its change. */
const runsAre = (...changes: readonly object[]): string[] =>
  judged(kalamScriptRepeatable, {
    formats: sound.formats.map((one, at) =>
      at > 0
        ? one
        : { ...one, runs: one.runs.flatMap((run, n) => (n < changes.length ? [{ ...run, ...changes[n] }] : [])) },
    ),
  });

test("the second and third run must agree in each way, and each difference is told", () => {
  expect(runsAre({}, {}, { exitCode: 1, outcome: "exit 1" })).toEqual([
    'changed: table, the exit code: {"format":"table","what":"the exit code","first":"exit 0","second":"exit 1"}',
  ]);
  expect(runsAre({}, {}, { rows: "[[]]" })).toEqual([expect.stringMatching(/^changed: table, the table: /)]);
  expect(runsAre({}, { text: "a\nb" }, { text: "a\nc" })).toEqual([
    'changed: table, the output: {"format":"table","what":"the output","first":"b","second":"c"}',
  ]);
});

test("rows that could not be read are no difference", () => {
  expect(runsAre({}, { rows: null }, {})).toEqual(["unknown: as table: its rows could not be read"]);
  expect(runsAre({}, {}, { rows: null })).toEqual(["unknown: as table: its rows could not be read"]);
});

test("trouble decides nothing, whatever else differs", () => {
  const trouble = { trouble: "the server is away", text: "", exitCode: 1 };
  expect(runsAre({}, {}, trouble)).toEqual(["unknown: as table: the server is away"]);
  expect(runsAre({}, {}, { trouble: "late" })).toEqual(["unknown: as table: late"]);
  expect(runsAre(trouble, {}, { text: "x" })).toEqual(["unknown: as table: the server is away"]);
});

test("with fewer than three runs there is nothing to compare", () => {
  expect(runsAre({})).toEqual(["unknown: the script was run only 7 of 9 times"]);
  expect(runsAre({}, { text: "x" })).toEqual(["unknown: the script was run only 8 of 9 times"]);
});

test.each([{ exitCode: 1, outcome: "exit 1" }, { rows: "[[]]" }, { text: "" }])(
  "failing the same way each time is not repeating: %j",
  (change) => {
    expect(runsAre(change, change, change)).toEqual([expect.stringMatching(/^unknown: as table: the script did not/)]);
  },
);
