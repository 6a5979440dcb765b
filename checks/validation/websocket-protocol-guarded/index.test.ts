import * as fc from "fast-check";
import { expect, test } from "vitest";
import { badMessages } from "./bad-messages.ts";
import { seeing } from "./proof.ts";
import { websocketProtocolGuarded } from "./index.ts";

type Seen = Parameters<typeof websocketProtocolGuarded.judge>[0];
type Asked = Seen["asked"][number];

const anyCase = fc.constantFrom(...badMessages);
const code = fc.constantFrom("INVALID_MESSAGE", "UNSUPPORTED_DATA", "BATCH_FETCH_FAILED");
const silent = { error: null, given: [], closed: null };
const found = (seen: Seen): string[] => {
  const verdict = websocketProtocolGuarded.judge(seen, {});
  return verdict.kind === "fail" ? verdict.found.map((one) => `${one.name} ${one.case ?? ""}`) : [verdict.kind];
};

test("the names of bad messages are all different", () => {
  expect(new Set(badMessages.map(({ name }) => name)).size).toBe(badMessages.length);
});

test("passes whichever way each is refused", () => {
  const byError = fc.record({
    error: fc.record({ code, message: fc.string() }),
    closed: fc.constantFrom(null, { code: 1006, reason: "" }, { code: 1000, reason: "" }),
    wentOn: fc.constant(null),
  });
  const byEnd = fc.record({
    error: fc.constant(null),
    closed: fc.record({ code: fc.constantFrom(1002, 1003, 1007, 1008, 1009, 3000, 4999), reason: fc.string() }),
    wentOn: fc.constant(null),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(byError, byEnd), { minLength: badMessages.length }), (refusals) => {
      const sound = seeing("", {});
      const asked = sound.asked.map((one, at): Asked => ({ ...one, ...refusals[at] }));
      // Refused by an error and still there, it was tried whether it goes on.
      const tried = asked.map((one) => ({ ...one, wentOn: one.closed === null ? true : null }));
      expect(found({ ...sound, asked: tried })).toEqual(["pass"]);
    }),
  );
});

test("names the message that was taken for a good one, or went by without a word", () => {
  fc.assert(
    fc.property(
      anyCase,
      fc.subarray(["subscription_ack", "initial_data_batch", "auth_success"]),
      ({ name, harmless }, given) => {
        const seen = seeing(name, { ...silent, given, wentOn: true });
        expect(found(seen)).toEqual([`${harmless === true ? "letPass" : "accepted"} ${name}`]);
      },
    ),
  );
});

test("names the message after which nothing goes on, and not where nobody was told anything", () => {
  fc.assert(
    fc.property(anyCase, fc.boolean(), fc.boolean(), ({ name }, withError, well) => {
      const error = withError ? { code: "INVALID_MESSAGE", message: "" } : null;
      const seen = seeing(name, { ...silent, error, wentOn: false, others: well ? "well" : "undetermined" });
      expect(found(seen)).toEqual([well ? `hung ${name}` : "unknown"]);
    }),
  );
});

test("names the message that costs others their connection, if it does so twice", () => {
  fc.assert(
    fc.property(
      anyCase,
      fc.integer({ min: 1, max: 2 }),
      fc.array(fc.string(), { minLength: 1 }),
      ({ name }, times, lost) => {
        const seen = seeing(name, { others: { lost }, times });
        expect(found(seen)).toEqual([times === 2 ? `killedSiblings ${name}` : "unknown"]);
        const gone = { kind: "unsure", status: null, code: "", message: "", why: "unreachable", exchange: 1 } as const;
        expect(found({ ...seen, why: "nobody is there", afterwards: gone })).toEqual([`killedSiblings ${name}`]);
      },
    ),
  );
});

test("an end that says nothing is told, except where an end was asked for or a drop is in order", () => {
  fc.assert(
    fc.property(anyCase, fc.constantFrom(1000, 1005, 1006, 1011), ({ name, mayDrop, mayEnd }, end) => {
      const seen = seeing(name, { ...silent, closed: { code: end, reason: "" }, wentOn: null, times: 2 });
      const isRight = mayEnd === true || (mayDrop === true && end === 1006);
      expect(found(seen)).toEqual([isRight ? "pass" : `unclearEnd ${name}`]);
    }),
  );
});

test("without any one of them it cannot tell", () => {
  fc.assert(
    fc.property(anyCase, ({ name }) => {
      const sound = seeing("", {});
      expect(found({ ...sound, asked: sound.asked.filter((one) => one.case !== name) })).toEqual(["unknown"]);
    }),
  );
});
