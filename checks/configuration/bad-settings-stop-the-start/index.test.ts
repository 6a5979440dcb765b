import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { badSettingsStopTheStart } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof badSettingsStopTheStart.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const firstIs = (change: object): string[] =>
  judged(badSettingsStopTheStart, {
    ...sound,
    trials: sound.trials.map((one, at) => (at === 0 ? { ...one, outcome: { ...one.outcome, ...change } } : one)),
  });

test("a server that is left listening has started, however it ended, and that is all that is said", () => {
  expect(firstIs({ leftListening: true })).toEqual(['startedAnyway: missing file: {"case":"missing file"}']);
  expect(firstIs({ answered: true, exitCode: null, stderr: "" })).toEqual([
    'startedAnyway: missing file: {"case":"missing file"}',
  ]);
});

test("a server that goes on without answering hung, whatever it wrote", () => {
  const hung = ['hung: missing file: {"case":"missing file","pace":{"waitedMs":10000,"controlMs":300}}'];
  expect(firstIs({ exitCode: null })).toEqual(hung);
  expect(firstIs({ exitCode: null, stderr: "" })).toEqual(hung);
});

test("an exit with 0 is silent, even with the right words", () => {
  expect(firstIs({ exitCode: 0 })).toEqual([expect.stringMatching(/^silent: missing file: .*"exitCode":0/)]);
});

test("what was written is quoted in one line of at most 200 characters", () => {
  expect(firstIs({ stderr: `a  b\n${"x".repeat(300)}` })).toEqual([
    `silent: missing file: ${JSON.stringify({ case: "missing file", exitCode: 1, stderr: `a b ${"x".repeat(196)}…` })}`,
  ]);
});

test("the slowest exit counts, also the first", () => {
  expect(firstIs({ tookMs: 900 })).toEqual([expect.stringContaining("within 900 ms")]);
});

test("where valid settings do not start either, nothing hung", () => {
  const good = { ...sound.good, answered: false };
  const trials = sound.trials.map((one) => ({ ...one, outcome: { ...one.outcome, exitCode: null } }));
  const why = "unknown: the server did not start with valid settings either, so the failed starts prove nothing";
  expect(judged(badSettingsStopTheStart, { trials, good })).toEqual([why]);
  expect(judged(badSettingsStopTheStart, { ...sound, good })).toEqual([why]);
});
