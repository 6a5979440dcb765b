import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import { syntaxErrorsClear } from "./index.ts";

const sound = soundFor(syntaxErrorsClear, proof);
type Attempt = (typeof sound.attempts)[number];
const explained = sound.attempts[0]?.op ?? yes();
const having = (change: Partial<Attempt>, at = 0): string[] =>
  judged(syntaxErrorsClear, {
    ...sound,
    attempts: sound.attempts.map((one, n) => (n === at ? { ...one, case: "misspelt verb", ...change } : one)),
  });
const finding = (name: string, more: object): string[] => [
  `${name}: misspelt verb: ${JSON.stringify({ sql: '"SELEC 1"', ...more })}`,
];
const serverError = (outcome: string) => finding("serverError", { outcome });
const passed = (tookMs = 3) => [
  `pass: 19 of 19 sent, all rejected within ${tookMs} ms, with the same codes for a dba and a user; the query after each was answered`,
];
const notRejected = (outcome: string) => [`unknown: misspelt verb: not rejected for its SQL: ${outcome}`];

test("which answers are errors of the server, whoever gets them", () => {
  const lost = "no answer within 15000 ms";
  for (const at of [0, 18]) {
    for (const why of ["reset", "cut"]) expect(having({ op: nothing(why) }, at)).toEqual(serverError(`${why} ${lost}`));
    expect(having({ user: nothing("reset") }, at)).toEqual(serverError(`reset ${lost}`));
    expect(having({ next: nothing("reset") }, at)).toEqual(serverError(`the next query: reset ${lost}`));
    expect(having({ next: no("X", "oops", "", 500) }, at)).toEqual(serverError("the next query: 500 oops"));
    expect(having({ user: yes() }, at)).toEqual(finding("accepted", {}));
  }
  expect(having({ op: no("X", "proxy", "", 503) })).toEqual(notRejected("503 proxy"));
  expect(having({ op: nothing() })).toEqual(notRejected(`timeout ${lost}`));
  expect(having({ next: nothing() })).toEqual([
    `unknown: a valid query after "misspelt verb" was not answered: timeout ${lost}`,
  ]);
});

test("the same code for both accounts, and words for the one that may know", () => {
  expect(having({ user: { ...explained, code: "OTHER" } })).toEqual(
    finding("unclear", { why: "INVALID_SQL for a dba, OTHER for a user" }),
  );
  expect(having({ op: { ...explained, message: "no" } })).toEqual(
    finding("unclear", { why: "the error does not say what is wrong: no" }),
  );
  expect(having({ op: { ...explained, message: "SELEC?" } })).toEqual(passed());
  // Nothing is known of what would explain another one.
  expect(having({ case: "case 0", op: { ...explained, message: "no" } })).toEqual(passed());
});

test("internals are shown with the first 300 characters", () => {
  const leak = "expected x at crates/sql/src/parser.rs:42 ";
  const shown = (message: string) => finding("leaksInternals", { what: "a source file", message });
  const exact = leak.padEnd(300, "x");
  expect(having({ op: { ...explained, message: exact } })).toEqual(shown(exact));
  expect(having({ op: { ...explained, message: `${exact}y` } })).toEqual(shown(`${exact}…`));
  expect(having({ user: { ...explained, message: exact } })).toEqual(shown(exact));
});

test("one second is not slow, and what is slow is compared with a plain query", () => {
  const pace = (waitedMs: number, controlMs = 4) => ({ pace: { waitedMs, controlMs } });
  expect(having(pace(1_000))).toEqual(passed(1_000));
  const [slow = ""] = having(pace(1_001));
  expect(slow).toMatch(/^slow: .*"waitedMs":1001/);
  expect(having(pace(1_001), 18)).toEqual([slow]);
  expect(having(pace(1_001, 900))).toEqual([expect.stringMatching(/^unknown: /) as string]);
});

test("eight statements are enough where no more are wanted, seven are not", () => {
  const first = (count: number, wanted: number) =>
    judged(syntaxErrorsClear, { ...sound, attempts: sound.attempts.slice(0, count), wanted });
  expect(first(8, 8)[0]).toContain("pass: 8 of 19 sent");
  expect(first(7, 7)).toEqual(["unknown: only 7 of 19 statements were tried"]);
  expect(first(8, 9)).toEqual(["unknown: only 8 of 19 statements were tried"]);
});
