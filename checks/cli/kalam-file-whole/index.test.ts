import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { kalamFileWhole } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof kalamFileWhole.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const [control, second, ...rest] = sound.runs;
if (control === undefined || second === undefined) throw new Error("no runs");

test("if plain statements do not work, a split file shows nothing, and the reason is theirs", () => {
  const split = { ...second, rows: [] };
  expect(judged(kalamFileWhole, { runs: [{ ...control, rows: [], outcome: "odd" }, split, ...rest] })).toEqual([
    "unknown: a file of plain statements did not work either: odd",
  ]);
  expect(judged(kalamFileWhole, { runs: [{ ...control, trouble: "it is away" }, split, ...rest] })).toEqual([
    "unknown: a file of plain statements did not work either: it is away",
  ]);
});

test("a file that failed in its own way is told, and one that is not ours has no expectations", () => {
  const stops = sound.runs.map((one) => (one.case === "an error in the middle" ? { ...one, exitCode: 0 } : one));
  expect(judged(kalamFileWhole, { runs: stops })).toEqual([expect.stringMatching(/^unknown: an error in the middle/)]);
  expect(judged(kalamFileWhole, { runs: [...sound.runs, { ...control, case: "another", rows: [] }] })).toEqual([
    expect.stringMatching(/^pass/),
  ]);
});
