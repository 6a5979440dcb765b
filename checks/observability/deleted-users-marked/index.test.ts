import { expect, test } from "vitest";
import proof from "./proof.ts";
import { deletedUsersMarked } from "./index.ts";
import { judged, no, nothing, yes } from "../../vocabulary/evidence.ts";

type Seen = Parameters<typeof deletedUsersMarked.judge>[0];

const [sound] = proof.holds as readonly [Seen];
const found = (second: Partial<Seen["second"]>): string[] => {
  const verdict = deletedUsersMarked.judge({ ...sound, second: { ...sound.second, ...second } }, {});
  return verdict.kind === "fail" ? verdict.found.map(({ name }) => name) : [verdict.kind];
};

test("a dropped user that becomes active again is reported, marked or not listed before", () => {
  expect(found({ before: "marked", after: "active" })).toEqual(["cameBack"]);
  expect(found({ before: "gone", after: "active" })).toEqual(["cameBack"]);
});

test("the second dropped user must be marked too", () => {
  expect(found({ before: "active", after: "active" })).toEqual(["looksActive"]);
});

test("a user that could not be looked up did not come back", () => {
  expect(found({ before: "unread", after: "active" })).toEqual(["unknown"]);
});

const [written] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(deletedUsersMarked, { ...written, ...change });

test("rows that a new account cannot read are none that it reads, and a drop that failed shows nothing", () => {
  const first = (change: object): string[] => judge({ first: { ...written.first, ...change } });
  expect(first({ dropped: nothing(), shown: "active" })).toEqual([
    "unknown: DROP USER failed: no answer within 15000 ms",
  ]);
  expect(judge({ second: { ...written.second, dropped: nothing(), before: "active" } })).toEqual([
    "unknown: DROP USER failed: no answer within 15000 ms",
  ]);
  expect(first({ recreated: { ...written.first.recreated, said: yes(), rows: null } })).toEqual([
    "unknown: the new account with the dropped name could not read",
  ]);
});

test("a pass says what a new account with the name gets", () => {
  const recreated = (said: Seen["first"]["recreated"]["said"], rows: number | null): string[] =>
    judge({ first: { ...written.first, recreated: { ...written.first.recreated, said, rows } } });
  expect(recreated(yes(), 0)).toEqual([expect.stringMatching(/gives no access to old rows$/)]);
  expect(recreated(no("X", "exists", "exists"), null)).toEqual([expect.stringMatching(/is refused to a new account$/)]);
});
