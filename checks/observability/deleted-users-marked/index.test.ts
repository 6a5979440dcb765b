import { expect, test } from "vitest";
import proof from "./proof.ts";
import { deletedUsersMarked } from "./index.ts";

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
