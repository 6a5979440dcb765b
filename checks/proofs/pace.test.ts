/** Findings of time are made against a control: where the control was as slow, nobody is accused. */
import { expect, test } from "vitest";
import type { Json } from "../../src/wire/json.ts";
import { judge } from "../../src/run.ts";
import { isRecord } from "../../src/wire/json.ts";
import { loadProofs } from "../index.ts";

/** An hour: slower than anything that is waited for. */
const slowestMs = 3_600_000;

/** The evidence with each control that slow. */
function slowed(seen: Json): Json {
  if (Array.isArray(seen)) return seen.map((one) => slowed(one as Json));
  if (!isRecord(seen)) return seen;
  return Object.fromEntries(
    Object.entries(seen).map(([name, value]) => [name, name === "controlMs" ? slowestMs : slowed(value ?? null)]),
  );
}

/** Findings whose control is not a number in the evidence, each with the reason. */
const otherwise: Readonly<Record<string, string>> = {
  "concurrency/unacknowledged-redelivered notRedelivered":
    "its control is another group, which receives the same messages at the end of the wait",
  "durability/acked-offsets-survive-kill lostMessages":
    "its control is another group, which is polled at the end of the wait",
  "durability/older-data-opens messagesLost": "its control is another group, which is polled at the end of the wait",
  "observability/took-is-honest impossible": "its control is the differences between equal queries",
  "backpressure/slow-reader-told heldUpOthers":
    "its control is the slow subscriber: the other one goes on when that reads on",
  "backpressure/recovers-from-overload staysSlow": "its control is the same load before the overload",
  "backpressure/recovers-from-overload stoppedAnswering":
    "its control is how many the server answers in a second: fewer than ten are not judged",
  "backpressure/rapid-queries-all-served slowsDown": "its control is the first queries of the same kind",
  "backpressure/connections-freed leaked":
    "the view that lists them is answered meanwhile; it waits out the server's own limits",
  "backpressure/subscription-limit-holds quotaLost": "its evidence is a refusal at the end of the wait, not silence",
  "backpressure/rate-limit-says-so staysShut": "its control is another account that is served meanwhile",
};

const timed = (await loadProofs()).flatMap(({ check, breaks }) =>
  Object.entries(breaks)
    .filter(([name]) => check.findings[name]?.timed !== undefined)
    .map(([name, { seen }]) => ({ name: `${check.id} ${name}`, finding: name, check, seen })),
);

test.each(timed.filter(({ name }) => otherwise[name] === undefined))(
  "$name: a server that is slow altogether is not accused",
  ({ check, finding, seen }) => {
    const names = (evidence: Json): string[] => {
      const verdict = judge({ check, limits: check.limits }, evidence);
      return verdict.kind === "fail" ? verdict.found.map((one) => one.name) : [verdict.kind];
    };
    const evidence = JSON.parse(JSON.stringify(seen)) as Json;
    expect(names(evidence)).toContain(finding);
    expect(names(slowed(evidence))).not.toContain(finding);
    expect(names(slowed(evidence))).not.toContain("pass");
  },
);

test("each exception is a finding of time", () => {
  expect(timed.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(otherwise)));
});
