import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import proof from "./proof.ts";
import type { Recreated } from "./recreation.ts";
import { dropMissingTableRefused } from "./index.ts";

const sound = soundFor(dropMissingTableRefused, proof);
const verdict = (change: Partial<typeof sound>): string[] => judged(dropMissingTableRefused, { ...sound, ...change });
const again = (type: string, change: Partial<Recreated>): string[] =>
  verdict({ recreated: sound.recreated.map((one) => (one.type === type ? { ...one, ...change } : one)) });
const read = (...keys: string[]) => ({ keys, said: yes() });
const unread = { keys: null, said: nothing() };
const denied = sound.compared[0]?.there ?? yes();
const unknown = (sentence: string): string[] => [`unknown: ${sentence}`];

test("as many drops are tried as there are", () => {
  expect(verdict({})).toEqual([
    "pass: 4 of 4 drops of missing tables rejected, 2 with IF EXISTS changed nothing, the errors of 8 pairs do not differ for accounts without privileges; 3 recreated tables start empty",
  ]);
  const few = unknown("not all of the drops were tried");
  expect(verdict({ dropped: sound.dropped.slice(1) })).toEqual(few);
  expect(verdict({ idempotent: sound.idempotent.slice(1) })).toEqual(few);
  expect(verdict({ compared: sound.compared.slice(1) })).toEqual(few);
  expect(verdict({ before: null, after: null })).toEqual(
    unknown("the tables could not be listed before and after, or differ although every drop was rejected"),
  );
});

const pair = (at: number, change: object): string[] =>
  verdict({ compared: sound.compared.map((one, n) => (n === at ? { ...one, ...change } : one)) });
const told = (name: string, as: string, there: string, missing: string): string[] => [
  `toldExistence: ${name}, as ${as}: ${JSON.stringify({ case: name, as, there, missing })}`,
];

test("errors differ by more than the names that were asked for", () => {
  const message = (text: string) => ({ ...denied, message: text });
  const no4 = message("no");
  expect(pair(0, { there: message("x"), missing: no4 })).toEqual(told("a", "user", "x", "no"));
  expect(pair(7, { there: message("x"), missing: no4 })).toEqual(told("d", "service", "x", "no"));
  expect(pair(0, { there: { ...no4, code: "OTHER" }, missing: no4 })).toEqual(told("a", "user", "no", "no"));
  expect(pair(0, { there: { ...no4, status: 404 }, missing: no4 })).toEqual(told("a", "user", "no", "no"));
  for (const [there, missing] of [
    [sound.ns, sound.no],
    ["missing", "closed"],
    ["rows", "missing"],
    [`${sound.ns}.closed of rows`, "missing.missing of closed"],
  ] as const)
    expect(pair(0, { there: message(`no ${there}`), missing: message(`no ${missing}`) })).toEqual([
      expect.stringMatching(/^pass/),
    ]);
  expect(pair(0, { missing: yes("gone") })).toEqual(told("a", "user", denied.message, "200 gone"));
});

test("without two answers nothing is told", () => {
  const notRejected = (message: string) => unknown(`a, as user, was not rejected for missing privileges: ${message}`);
  const slow = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);
  expect(pair(0, { missing: nothing() })).toEqual(notRejected(denied.message));
  expect(pair(0, { there: nothing() })).toEqual(notRejected("no answer within 15000 ms"));
  expect(pair(0, { there: slow })).toEqual(notRejected("slower"));
  expect(pair(0, { missing: slow })).toEqual(notRejected(denied.message));
  // An accepted drop is a finding of its own.
  expect(pair(0, { there: yes() })).toEqual(['accepted: a, as user: {"case":"a","as":"user","message":"done"}']);
});

const back = (type: string, when: string, ...keys: string[]): string[] => [
  `oldRowsBack: ${type}: ${JSON.stringify({ type, when, keys })}`,
];
const lost = (type: string, when: string, ...keys: string[]): string[] => [
  `newRowsLost: ${type}: ${JSON.stringify({ type, when, keys })}`,
];

test("the first read that shows an old row, or one twice, is named", () => {
  for (const type of ["USER", "SHARED", "STREAM"]) {
    expect(again(type, { dropped: read("1"), again: read("2") })).toEqual(back(type, "after the drop", "1"));
    expect(again(type, { again: read("2"), byOldKey: read("2") })).toEqual(back(type, "immediately", "2"));
    expect(again(type, { byOldKey: read("2"), withNew: read("1", "2", "4") })).toEqual(back(type, "by key", "2"));
    expect(again(type, { withNew: read("1", "2", "4") })).toEqual(back(type, "beside new rows", "2"));
    expect(again(type, { withNew: read("1", "1", "4") })).toEqual(back(type, "beside new rows", "1"));
    expect(again(type, { flushedNew: read("1", "3", "4") })).toEqual(back(type, "after a flush", "3"));
  }
});

test("a conflict of a new row with an old one is an old row, too", () => {
  for (const why of ["constraint", "exists"])
    expect(again("USER", { inserted: no("X", "taken", why), withNew: read(), flushedNew: read() })).toEqual(
      back("USER", "only as a conflict with new rows (taken)", "1"),
    );
  expect(again("USER", { inserted: no("X", "no", "rule"), withNew: read(), flushedNew: read() })).toEqual(
    unknown("USER: a step failed: no"),
  );
  expect(again("USER", { steps: [yes(), yes(), yes(), nothing(), yes()], dropped: read("1") })).toEqual(
    unknown("USER: a step failed: no answer within 15000 ms"),
  );
});

test("the first read that lacks a new row is named", () => {
  expect(again("USER", { withNew: read("1"), flushedNew: read() })).toEqual(lost("USER", "immediately", "4"));
  expect(again("USER", { withNew: read(), flushedNew: read("1", "4") })).toEqual(lost("USER", "immediately", "1", "4"));
  expect(again("SHARED", { flushedNew: read("4") })).toEqual(lost("SHARED", "after a flush", "1"));
  expect(again("USER", { withNew: unread, flushedNew: read("4") })).toEqual(lost("USER", "after a flush", "1"));
  expect(again("USER", { withNew: unread })).toEqual(unknown("USER: not all of the new rows are there: unread"));
  expect(again("USER", { flushedNew: unread })).toEqual(unknown("USER: not all of the new rows are there: unread"));
});

test("why a drop shows nothing", () => {
  for (const type of ["USER", "SHARED"]) {
    for (const cold of [null, 0, 1])
      expect(again(type, { cold })).toEqual(unknown(`${type}: the rows to drop were not seen in cold storage`));
    expect(again(type, { cold: 3 })).toEqual([expect.stringMatching(/^pass/)]);
  }
  const after = (said: ReturnType<typeof no>) => again("USER", { dropped: { keys: null, said } });
  const gone = (message: string) =>
    unknown(`USER: a read after the drop did not show that the table is gone: ${message}`);
  expect(after(yes())).toEqual(gone("done"));
  expect(after(nothing())).toEqual(gone("no answer within 15000 ms"));
  expect(after(no("X", "broken", "", 500))).toEqual(gone("broken"));
  expect(after(no("X", "broken", "", 599))).toEqual(gone("broken"));
  expect(after(no("X", "slower", "rate", 429))).toEqual(gone("slower"));
  expect(after(no("X", "no such table", "missing", 499))).toEqual([expect.stringMatching(/^pass/)]);
  const couldNot = unknown("USER: the table could not be read after it was created again");
  expect(again("USER", { again: unread })).toEqual(couldNot);
  expect(again("USER", { byOldKey: unread })).toEqual(couldNot);
  expect(verdict({ recreated: sound.recreated.slice(1) })).toEqual(
    unknown("no USER table was dropped and created again"),
  );
});
