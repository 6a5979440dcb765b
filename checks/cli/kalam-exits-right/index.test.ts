import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { kalamExitsRight } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof kalamExitsRight.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const having = (name: string, change: object): string[] =>
  judged(kalamExitsRight, {
    ...sound,
    runs: sound.runs.map((one) => (one.case === name ? { ...one, ...change } : one)),
  });

test("the first run is judged like the others, and one without an exit code ended wrongly", () => {
  expect(having("a query", { exitCode: 3 })).toEqual([expect.stringMatching(/^wrongCode: a query: /)]);
  expect(having("a query", { exitCode: null })).toEqual([expect.stringMatching(/^wrongCode: a query: /)]);
});

test.each([
  ["a query", { stdout: false }, "nothing on stdout"],
  ["a missing table", { stdout: true }, "unexpected output on stdout"],
  ["a missing table", { stderr: false }, "nothing on stderr"],
])("of %s the output goes where it should: %j", (name, change, what) => {
  expect(having(name, change)).toEqual([expect.stringContaining(`"what":"${what}"`)]);
});

test("a run that had to be ended is overdue, and nothing else", () => {
  expect(having("a silent server", { overdue: true, exitCode: null })).toEqual([
    expect.stringMatching(/^timeoutIgnored: a silent server: /),
  ]);
});

test("a run that is not one of ours decides nothing", () => {
  const [first] = sound.runs;
  if (first === undefined) throw new Error("no runs");
  expect(judged(kalamExitsRight, { ...sound, runs: [...sound.runs, { ...first, case: "another" }] })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
});
