import { expect, test } from "vitest";
import { judged, promptPace } from "../../vocabulary/evidence.ts";
import { noOpening } from "../../vocabulary/opening-evidence.ts";
import { liveQueriesWork } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof liveQueriesWork.judge>[0];
const sound = proof.holds[0] as Seen;
const namesOf = (seen: Seen): string[] => {
  const verdict = liveQueriesWork.judge(seen, liveQueriesWork.limits);
  return verdict.kind === "fail" ? verdict.found.map(({ name }) => name) : [verdict.kind];
};

test("a subscription without an answer is red by time, like an upgrade without one", () => {
  expect(namesOf({ ...sound, opening: noOpening(), acknowledged: 0, delivered: false })).toEqual(["unanswered"]);
  expect(liveQueriesWork.findings.unanswered.timed).toBe(true);
});

test("one attempt of several that was not answered makes the refusals a matter of time", () => {
  const failed: Seen["failed"] = [
    { kind: "refused", why: "the upgrade was answered with 502" },
    { kind: "unanswered", why: "the upgrade was not answered within 10000 ms" },
  ];
  expect(namesOf({ ...sound, failed, opening: null, acknowledged: 0, delivered: false })).toEqual(["unanswered"]);
  // What connects in the end works.
  expect(namesOf({ ...sound, failed })).toEqual(["pass"]);
});

test("on a connection that has ended nothing is waited for", () => {
  expect(
    judged(liveQueriesWork, { ...sound, delivered: false, arriving: promptPace, notices: ["closed 1006"] }),
  ).toEqual([`nothingDelivered: ${JSON.stringify({ rows: 3, how: ": closed 1006", pace: promptPace })}`]);
  expect(judged(liveQueriesWork, { ...sound, delivered: false, arriving: promptPace })).toEqual([
    expect.stringMatching(/^unknown: no row was delivered/),
  ]);
});
