import { expect, test } from "vitest";
import { judged, nothing } from "../../vocabulary/evidence.ts";
import { badMessages } from "./bad-messages.ts";
import { withAttempt } from "./proof.ts";
import { websocketProtocolGuarded } from "./index.ts";

const of = badMessages.length;
const binary = badMessages.filter(({ parts }) => parts.some((part) => "binary" in part)).length;
const silent = { error: null, closed: null, replies: [] };
const verdict = (name: string, change: Parameters<typeof withAttempt>[1]): string[] =>
  judged(websocketProtocolGuarded, withAttempt(name, change));
const passed = [
  `pass: ${of} of ${of} rejected, ${binary} with an error and ${of - binary} by closing the connection; two other connections received each of ${of} rows`,
];

test("which codes of a close blame the client", () => {
  expect(verdict("", {})).toEqual(passed);
  const closed = (code: number, reason = "") => verdict("no type", { ...silent, closed: { code, reason }, times: 2 });
  for (const code of [1002, 1003, 1007, 1008, 1009, 3000, 4999]) expect(closed(code)).toEqual(passed);
  expect(closed(1011, "Invalid message")).toEqual(passed);
  for (const code of [1000, 1006, 1010, 1011, 2999, 5000])
    expect(closed(code)).toEqual([`unclearEnd: no type: {"case":"no type","end":"the connection ended with ${code}"}`]);
  expect(closed(1000, "bye")).toEqual([
    'unclearEnd: no type: {"case":"no type","end":"the connection ended with 1000 bye"}',
  ]);
  for (const code of [1001, 1012, 1013])
    expect(closed(code)).toEqual([`unknown: no type: the connection was closed with ${code}`]);
});

test("a broken connection is as good as a refusal only of an invalid frame, and a normal close only of a close frame", () => {
  const closed = (name: string, code: number) => verdict(name, { ...silent, closed: { code, reason: "" } });
  expect(closed("a reserved bit", 1006)).toEqual(passed);
  expect(closed("a close frame of one byte", 1000)).toEqual(passed);
  expect(closed("a reserved bit", 1000)).toEqual([
    'unclearEnd: a reserved bit: {"case":"a reserved bit","end":"the connection ended with 1000"}',
  ]);
  expect(closed("no type", 1006)).toEqual(["unknown: no type: the connection broke, and it could not be sent again"]);
});

test("what hangs is a finding, unless an error was all that had to come", () => {
  const hung = ['hung: no type: {"case":"no type","pace":{"waitedMs":12000,"controlMs":12}}'];
  const error = { code: "INVALID_MESSAGE", message: "no type" };
  expect(verdict("no type", { ...silent, continued: false })).toEqual(hung);
  expect(verdict("no type", { ...silent, continued: null })).toEqual(hung);
  expect(verdict("no type", { ...silent, error, continued: false })).toEqual(hung);
  expect(verdict("no type", { ...silent, error, continued: null })).toEqual([expect.stringMatching(/^pass/)]);
  expect(verdict("no type", { ...silent, error: { code: "", message: "no" }, continued: null })).toEqual([
    'unclearEnd: no type: {"case":"no type","end":"an error without a code"}',
  ]);
  expect(verdict("no type", { ...silent, continued: true })).toEqual([
    'accepted: no type: {"case":"no type","how":"got no answer, and a message after it was served"}',
  ]);
  expect(verdict("no type", { replies: ["subscription_ack", "pong"] })).toEqual([
    'accepted: no type: {"case":"no type","how":"answered with subscription_ack, pong"}',
  ]);
});

test("a message that ended the observation ended the server only if that is gone", () => {
  const lost = ["another connection"];
  const found = ['killedSiblings: no type: {"case":"no type","lost":["another connection"]}'];
  const once = withAttempt("no type", { siblings: { lost }, times: 1 });
  const ended = { ...once, endedEarly: "no live connection" };
  expect(judged(websocketProtocolGuarded, { ...ended, afterwards: nothing("unreachable") })).toEqual(found);
  expect(judged(websocketProtocolGuarded, { ...ended, afterwards: nothing("reset") })).toEqual(found);
  expect(judged(websocketProtocolGuarded, { ...ended, afterwards: nothing() })).toEqual([
    "unknown: no live connection",
  ]);
  expect(judged(websocketProtocolGuarded, { ...once, afterwards: nothing("reset") })).toEqual([
    "unknown: no type: disconnected another connection, and could not be sent again",
  ]);
  expect(judged(websocketProtocolGuarded, { ...withAttempt("", {}), endedEarly: "no live connection" })).toEqual([
    "unknown: no live connection",
  ]);
});
