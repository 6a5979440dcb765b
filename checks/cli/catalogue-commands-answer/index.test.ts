import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { catalogueCommandsAnswer } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof catalogueCommandsAnswer.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const ofServer = (change: object): string[] =>
  judged(catalogueCommandsAnswer, {
    ...sound,
    asked: sound.asked.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
  });
const ofKalam = (change: object): string[] =>
  judged(catalogueCommandsAnswer, {
    ...sound,
    kalam: (sound.kalam ?? []).map((one, at) => (at === 0 ? { ...one, ...change } : one)),
  });

test("the first command is judged like the others, and what is wrong is told", () => {
  expect(ofServer({ ok: false, outcome: "400" })).toEqual([
    'broken: DESCRIBE TABLE: {"command":"DESCRIBE TABLE","outcome":"was answered with 400"}',
  ]);
  expect(ofServer({ columns: 0 })).toEqual([expect.stringContaining("returned no columns")]);
  expect(ofServer({ columns: 1 })).toEqual([expect.stringMatching(/^pass/)]);
  expect(ofServer({ holds: false, rows: 60 })).toEqual([expect.stringContaining("returned 60 rows without")]);
});

test("only the list of tables may be cut, and only when it is long", () => {
  const cut = ['cutSilently: kalam \\dt: {"command":"kalam \\\\dt","rows":50}'];
  expect(ofKalam({ holds: false, rows: 50 })).toEqual(cut);
  expect(ofKalam({ holds: false, rows: 49 })).toEqual([expect.stringMatching(/^broken: kalam \\dt/)]);
  expect(ofKalam({ holds: true, rows: 50 })).toEqual([expect.stringMatching(/^pass/)]);
  expect(ofKalam({ ok: false, holds: false, rows: 50 })).toEqual([expect.stringMatching(/^broken: kalam \\dt/)]);
});

test("each of kalam's own commands must have been sent; without kalam the pass says so", () => {
  expect(judged(catalogueCommandsAnswer, { ...sound, kalam: (sound.kalam ?? []).slice(1) })).toEqual([
    "unknown: only 11 commands were sent",
  ]);
  expect(judged(catalogueCommandsAnswer, { ...sound, kalam: null })).toEqual([
    expect.stringContaining("were not tried (no --kalam-bin)"),
  ]);
  expect(judged(catalogueCommandsAnswer, sound)).toEqual([expect.stringContaining("so do 3 of kalam's own")]);
});
