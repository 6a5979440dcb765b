import * as fc from "fast-check";
import { expect, test } from "vitest";
import { badMessages } from "./bad-messages.ts";
import { withAttempt } from "./proof.ts";
import { websocketProtocolGuarded } from "./index.ts";

type Seen = Parameters<typeof websocketProtocolGuarded.judge>[0];
type Asked = Seen["asked"][number];

const anyCase = fc.constantFrom(...badMessages);
const code = fc.constantFrom("INVALID_MESSAGE", "UNSUPPORTED_DATA", "BATCH_FETCH_FAILED");
const silent = { error: null, replies: [], closed: null };
const found = (seen: Seen): string[] => {
  const verdict = websocketProtocolGuarded.judge(seen, {});
  return verdict.kind === "fail" ? verdict.found.map((one) => `${one.name} ${one.case ?? ""}`) : [verdict.kind];
};

test("the names of bad messages are all different", () => {
  expect(new Set(badMessages.map(({ name }) => name)).size).toBe(badMessages.length);
});

test("passes with any kind of proper refusal", () => {
  const byError = fc.record({
    error: fc.record({ code, message: fc.string() }),
    closed: fc.constantFrom(null, { code: 1006, reason: "" }, { code: 1000, reason: "" }),
    continued: fc.constant(null),
  });
  const byEnd = fc.record({
    error: fc.constant(null),
    closed: fc.record({ code: fc.constantFrom(1002, 1003, 1007, 1008, 1009, 3000, 4999), reason: fc.string() }),
    continued: fc.constant(null),
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(byError, byEnd), { minLength: badMessages.length }), (refusals) => {
      const sound = withAttempt("", {});
      const asked = sound.asked.map((one, at): Asked => ({ ...one, ...refusals[at] }));
      // After an error on an open connection a valid subscription was tried.
      const tried = asked.map((one) => ({ ...one, continued: one.closed === null ? true : null }));
      expect(found({ ...sound, asked: tried })).toEqual(["pass"]);
    }),
  );
});

test("names the message that was accepted or ignored", () => {
  fc.assert(
    fc.property(
      anyCase,
      fc.subarray(["subscription_ack", "initial_data_batch", "auth_success"]),
      ({ name, harmless }, replies) => {
        const seen = withAttempt(name, { ...silent, replies, continued: true });
        expect(found(seen)).toEqual([`${harmless === true ? "letPass" : "accepted"} ${name}`]);
      },
    ),
  );
});

test("names the message after which the connection hangs, unless no connection received anything", () => {
  fc.assert(
    fc.property(anyCase, fc.boolean(), fc.boolean(), ({ name }, withError, well) => {
      const error = withError ? { code: "INVALID_MESSAGE", message: "" } : null;
      const seen = withAttempt(name, { ...silent, error, continued: false, siblings: well ? "alive" : "undetermined" });
      expect(found(seen)).toEqual([well ? `hung ${name}` : "unknown"]);
    }),
  );
});

test("names the message that disconnects others, if it does so twice", () => {
  fc.assert(
    fc.property(
      anyCase,
      fc.integer({ min: 1, max: 2 }),
      fc.array(fc.string(), { minLength: 1 }),
      ({ name }, times, lost) => {
        const seen = withAttempt(name, { siblings: { lost }, times });
        expect(found(seen)).toEqual([times === 2 ? `killedSiblings ${name}` : "unknown"]);
        const gone = { kind: "unsure", status: null, code: "", message: "", why: "unreachable", exchange: 1 } as const;
        expect(found({ ...seen, endedEarly: "no live connection", afterwards: gone })).toEqual([
          `killedSiblings ${name}`,
        ]);
      },
    ),
  );
});

test("an uninformative close is reported, unless a close was asked for or a drop is allowed", () => {
  fc.assert(
    fc.property(anyCase, fc.constantFrom(1000, 1005, 1006, 1011), ({ name, mayDrop, mayEnd }, end) => {
      const seen = withAttempt(name, { ...silent, closed: { code: end, reason: "" }, continued: null, times: 2 });
      const isRight = mayEnd === true || (mayDrop === true && end === 1006);
      expect(found(seen)).toEqual([isRight ? "pass" : `unclearEnd ${name}`]);
    }),
  );
});

test("is unknown if any of them is missing", () => {
  fc.assert(
    fc.property(anyCase, ({ name }) => {
      const sound = withAttempt("", {});
      expect(found({ ...sound, asked: sound.asked.filter((one) => one.case !== name) })).toEqual(["unknown"]);
    }),
  );
});
