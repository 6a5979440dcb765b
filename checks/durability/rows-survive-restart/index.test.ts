import { expect, test } from "vitest";
import type { Values } from "../../../src/history/history.ts";
import type { LoginSaid } from "../../vocabulary/logins.ts";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import type { Reading } from "../reading.ts";
import { rowsSurviveRestart } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(rowsSurviveRestart, proof);
type Owned = (typeof sound)["owned"][number];
const [alice, bob, shared] = sound.owned as readonly [Owned, Owned, Owned];
const judge = (change: Partial<typeof sound>): string[] => judged(rowsSurviveRestart, { ...sound, ...change });
const ofAlice = (change: Partial<Owned>, rest: Partial<typeof sound> = {}): string[] =>
  judge({ owned: [{ ...alice, ...change }, bob, shared], ...rest });
const row = (id: number, mark = `alice-${id}`): Values => ({ id: String(id), mark, level: 7, made: "1" });
const many = Array.from({ length: 7 }, (_, at) => row(at + 1));
const reading = (rows: readonly Values[]): Reading => ({ rows, why: null, cause: null, exchange: 5 });
const unread = (why: string, cause: Reading["cause"] = null): Reading => ({ rows: null, why, cause, exchange: 6 });
const ofMany = (rows: readonly Values[]): string[] =>
  ofAlice({ written: 7, before: reading(many), after: reading(rows) });
const five = '"keys":["1","2","3","4","5"]}';

test.each([
  ["some are gone", many.slice(6), [`lostRows: {"owner":"alice","table":"USER","lost":6,"of":7,${five}`]],
  ["one is gone", many.slice(1), ['lostRows: {"owner":"alice","table":"USER","lost":1,"of":7,"keys":["1"]}']],
  ["one is there twice", [...many, row(3)], ['strangeRows: {"owner":"alice","table":"USER","keys":["3"]}']],
  ["six are there twice", [...many, ...many.slice(0, 6)], [`strangeRows: {"owner":"alice","table":"USER",${five}`]],
  [
    "some changed",
    many.map((one) => ({ ...one, made: "2" })),
    [
      'changedRows: {"owner":"alice","table":"USER","rows":7,"first":{"key":"1","column":"made","expected":"1","shown":"2"}}',
    ],
  ],
  [
    "one has the mark of nobody",
    [row(1, "carol-1"), ...many.slice(1)],
    [
      'changedRows: {"owner":"alice","table":"USER","rows":1,"first":{"key":"1","column":"mark","expected":"alice-1","shown":"carol-1"}}',
    ],
  ],
  ["another user's are there, too", [...many, row(8, "bob-8")], ['crossedUsers: {"reader":"alice","marks":["bob-8"]}']],
  [
    "another user's is there instead",
    [row(1, "shared-1"), ...many.slice(1)],
    ['crossedUsers: {"reader":"alice","marks":["shared-1"]}'],
  ],
  [
    "all are of another user",
    many.map((_, at) => row(at + 1, `bob-${at + 1}`)),
    ['crossedUsers: {"reader":"alice","marks":["bob-1","bob-2","bob-3","bob-4","bob-5"]}'],
  ],
  [
    "its mark is NULL",
    [{ ...row(1), mark: null }, ...many.slice(1)],
    [expect.stringMatching(/^changedRows: .*"shown":"NULL"/)],
  ],
  [
    "all are there",
    many,
    [expect.stringMatching(/^pass: 11 rows of 3 readers the same; 2 passwords and earlier tokens work/)],
  ],
])("rows after the restart: %s", (_, rows, expected) => {
  expect(ofMany(rows)).toEqual(expected);
});

test.each([
  [
    "the table is gone",
    { after: unread("not found", "missing") },
    'lostRows: {"owner":"alice","table":"USER","lost":2,"of":2,"keys":["1","2"]}',
  ],
  [
    "the token is refused",
    { after: unread("401", "login") },
    'accountsLost: the token from before: {"owner":"alice","what":"the token from before","told":"401"}',
  ],
  ["they could not be read before", { before: unread("timeout") }, "unknown: the rows could not be read: timeout"],
  [
    "they could not be read before, and are gone",
    { before: unread("timeout"), after: unread("not found", "missing") },
    "unknown: the rows could not be read: timeout",
  ],
  ["they could not be read", { after: unread("reset") }, "unknown: the rows could not be read: reset"],
  ["too few were there before", { written: 3 }, "unknown: alice read 2 of 3 rows before the restart"],
])("where %s", (_, change, expected) => {
  expect(ofAlice(change)).toEqual([expected]);
});

test("a token of another secret may be refused", () => {
  expect(ofAlice({ after: unread("401", "login") }, { sameSecret: false })).toEqual([
    "unknown: the rows could not be read: 401",
  ]);
});

const said = (kind: LoginSaid["kind"], outcome: string): LoginSaid => ({ kind, status: 200, outcome, exchange: 7 });
const [inside, refused, again, unsure] = [
  said("in", "200"),
  said("refused", "401"),
  said("refused", "403"),
  said("unsure", "timeout"),
];
test.each([
  [
    "refused twice",
    [refused, again],
    'accountsLost: the password: {"owner":"bob","what":"the password","told":"403 (tried twice)"}',
  ],
  ["refused once", [refused], "unknown: the login of bob was not answered: 401"],
  ["refused and not answered", [refused, unsure], "unknown: the login of bob was not answered: timeout"],
  ["not answered and refused", [unsure, refused], "unknown: the login of bob was not answered: 401"],
  ["let in at the second try", [refused, inside], expect.stringMatching(/^pass: /)],
  ["not tried", [], "unknown: the login of bob was not answered: undefined"],
])("a login that was %s", (_, tries, expected) => {
  expect(judge({ logins: [...sound.logins.slice(0, 1), { owner: "bob", tries }] })).toEqual([expected]);
});
