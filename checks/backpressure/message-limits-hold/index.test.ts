import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { messageLimitsHold } from "./index.ts";
import type { Flood, Limits, Long } from "./limits.ts";
import proof from "./proof.ts";

const sound = soundFor(messageLimitsHold, proof);
const seen = (change: Partial<Limits>): string[] => judged(messageLimitsHold, { ...sound, ...change });
const withLong = (at: number, answer: Long["answer"], direct = true): string[] =>
  seen({ long: sound.long.map((one, index) => (index === at ? { ...one, answer } : one)), direct });
const flooded = (change: Partial<Flood>, direct = true): string[] =>
  seen({ flood: sound.flood === null ? null : { ...sound.flood, ...change }, direct });
const withSibling = (at: number, change: object, control = true): string[] =>
  seen({ siblings: sound.siblings.map((one, index) => (index === at ? { ...one, ...change } : one)), control });
const passes = [expect.stringMatching(/^pass/)];

test.each([0, 1])("message %i above the limit of the length must be refused with a reason", (at) => {
  const what = `a message of ${sound.long[at]?.bytes ?? 0} bytes`;
  expect(withLong(at, { kind: "accepted", text: "subscription_ack" })).toEqual([
    `accepted: length: ${JSON.stringify({ what, limit: "1048576 bytes" })}`,
  ]);
  for (const text of ["1000", "1005", "1006", "1006 reset"]) {
    expect(withLong(at, { kind: "closed", text })).toEqual([
      `unexplained: length: ${JSON.stringify({ what, closed: text })}`,
    ]);
    expect(withLong(at, { kind: "closed", text }, false)).toEqual([
      `unknown: ${what} ended the connection (${text}), maybe by something in between`,
    ]);
  }
  for (const text of ["1009", "1001", "1008 too long", "4000"])
    expect(withLong(at, { kind: "closed", text })).toEqual(passes);
  expect(withLong(at, { kind: "error", text: "1006" })).toEqual(passes);
  expect(withLong(at, null)).toEqual([`unknown: ${what} were not answered in time`]);
});

test("a flood that is served within a second is above the limit", () => {
  const quick = { refused: 0, closed: null };
  const told = { what: "200 messages within 999 ms", limit: "50 per second" };
  expect(flooded({ ...quick, tookMs: 999 })).toEqual([`accepted: rate: ${JSON.stringify(told)}`]);
  expect(flooded({ ...quick, tookMs: 1_000 })).toEqual([
    "unknown: no message was refused, and the server took 1000 ms for all of them",
  ]);
  expect(flooded({ ...quick, tookMs: null })).toEqual([expect.stringMatching(/^unknown: .* took too many ms/)]);
  expect(flooded({ ...quick, tookMs: 12, refused: 1 })).toEqual([expect.stringMatching(/; 1 of 200 messages at once/)]);
  expect(flooded({ ...quick, tookMs: 12, closed: "1008" })).toEqual(passes);
});

test("a flood may end the connection, with a code or after a refusal", () => {
  const bare = { refused: 0, closed: "1006", tookMs: null };
  expect(flooded(bare)).toEqual(['unexplained: rate: {"what":"200 messages at once","closed":"1006"}']);
  expect(flooded(bare, false)).toEqual([
    "unknown: many messages ended the connection (1006), maybe by something in between",
  ]);
  for (const change of [{ refused: 1 }, { closed: "1008 too many" }, { closed: "1000" }])
    for (const direct of [true, false]) expect(flooded({ ...bare, ...change }, direct)).toEqual(passes);
  expect(seen({ flood: null })).toEqual(["unknown: the limit of the message rate is too high to try"]);
});

test.each([0, 1])("another connection (%i) must stay open and go on", (at) => {
  const who = sound.siblings[at]?.who ?? "";
  const said = (what: string): string[] => [`killedSiblings: ${JSON.stringify({ who, what })}`];
  for (const delivered of [true, false])
    expect(withSibling(at, { closed: "1011 gone", delivered })).toEqual(said("lost its connection: 1011 gone"));
  expect(withSibling(at, { delivered: false })).toEqual(said("received no more changes"));
  expect(withSibling(at, { delivered: false }, false)).toEqual([
    "unknown: no change was delivered afterwards, to nobody",
  ]);
  // A network can end any connection.
  for (const delivered of [true, false])
    expect(withSibling(at, { closed: "1006", delivered })).toEqual([
      `unknown: ${who} broke (1006), maybe by something in between`,
    ]);
});

test("the connection that sent too much may be closed; while it is open it must go on", () => {
  for (const closed of ["1008 too many", "1006"]) expect(withSibling(2, { closed, delivered: false })).toEqual(passes);
  expect(withSibling(2, { delivered: false })).toEqual([
    'killedSiblings: {"who":"the connection itself","what":"received no more changes"}',
  ]);
});

test("a length that can be tried, three connections and a change for somebody are needed", () => {
  expect(seen({ long: [] })).toEqual(["unknown: the limit of a message's length is too high to try"]);
  for (const change of [{ siblings: sound.siblings.slice(1) }, { control: false }])
    expect(seen(change)).toEqual(["unknown: no change was delivered afterwards, to nobody"]);
});
