import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes, latePace } from "../../vocabulary/evidence.ts";
import { badRequests } from "./bad-requests.ts";
import proof from "./proof.ts";
import { malformedRequestsRefused } from "./index.ts";

const sound = soundFor(malformedRequestsRefused, proof);
const of = badRequests.length;
type Asked = (typeof sound.asked)[number];
type Controls = typeof sound.controls;
const first = (change: Partial<Asked>, controls: Controls = sound.controls): string[] =>
  judged(malformedRequestsRefused, {
    ...sound,
    asked: sound.asked.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
    controls,
  });
const finding = (name: string, more: object): string[] => [
  `${name}: case 0: ${JSON.stringify({ case: "case 0", request: "POST /v1/api/sql null", ...more })}`,
];
const passed = [`pass: ${of} of ${of} sent, all rejected with 4xx; 3 of 3 valid requests in between answered`];

test("the bytes of requests that are no text", () => {
  expect(badRequests[0]?.name).toBe("empty body");
  const hex = (name: string) => Buffer.from(badRequests.find((one) => one.name === name)?.body ?? "").toString("hex");
  const [before, after] = ['{"sql":"SELECT \'', "'\"}"].map((text) => Buffer.from(text).toString("hex"));
  expect(hex("invalid UTF-8")).toBe(`${before}fffe${after}`);
  expect(hex("an overlong UTF-8 sequence")).toBe(`${before}c0af${after}`);
  expect(hex("UTF-16")).toBe(Buffer.from('{"sql":"SELECT 1 AS alive"}', "utf16le").toString("hex"));
});

test.each<readonly [Partial<Asked>, string[]]>([
  [{ status: 200 }, finding("accepted", { status: 200 })],
  [{ status: 399 }, finding("accepted", { status: 399 })],
  [{ status: 400 }, passed],
  [{ status: 499 }, passed],
  [{ status: 500, text: "oops" }, finding("serverError", { outcome: "500 oops" })],
  [{ status: 200, broke: "cut" }, finding("serverError", { outcome: "a broken connection (cut)" })],
  [{ status: null, broke: "reset" }, finding("serverError", { outcome: "a broken connection (reset)" })],
  [{ status: null, broke: "malformed" }, finding("serverError", { outcome: "a broken connection (malformed)" })],
  [{ status: null, broke: "timeout" }, finding("hung", { pace: latePace })],
  [{ status: null, broke: "unreachable", text: "refused" }, ["unknown: case 0: unreachable refused"]],
  [{ status: 429, text: "slower" }, ["unknown: case 0: 429 slower"]],
  [{ status: 502, text: "proxy" }, ["unknown: case 0: 502 proxy"]],
  [{ status: 504, text: "proxy" }, ["unknown: case 0: 504 proxy"]],
  [{ code: "", text: "bare" }, ["unknown: case 0: status 400 without an error code: bare"]],
  [{ code: "", needsCode: false }, passed],
])("%j", (change, sentences) => {
  expect(first(change)).toEqual(sentences);
});

test("where a valid request fails, only a server that is gone was ended by a malformed one", () => {
  const after = (said: ReturnType<typeof no>) => [
    { after: "", said: yes() },
    { after: "case 7", said },
  ];
  const reset = { status: null, broke: "reset" };
  const broken = finding("serverError", { outcome: "a broken connection (reset)" });
  expect(first(reset, after(nothing("unreachable")))).toEqual(broken);
  expect(first(reset, after(nothing("reset")))).toEqual(broken);
  expect(first(reset, after(nothing()))).toEqual([
    "unknown: after case 7 a valid request got timeout no answer within 15000 ms",
  ]);
  expect(first(reset, after(no("X", "slower", "rate", 429)))).toEqual([
    "unknown: after case 7 a valid request got 429 slower",
  ]);
  expect(first({ status: null, broke: "timeout" }, after(nothing("unreachable")))).toEqual([
    "unknown: after case 7 a valid request got unreachable no answer within 15000 ms",
  ]);
  const atFirst = (message: string) => [`unknown: a valid request does not work even at the start: ${message}`];
  expect(first(reset, [{ after: "", said: nothing("reset") }])).toEqual(atFirst("no answer within 15000 ms"));
  expect(first({ status: 200 }, [])).toEqual(atFirst("it was not tried"));
});

test("twenty requests are enough where no more are wanted, nineteen are not", () => {
  const some = (count: number, wanted: number) =>
    judged(malformedRequestsRefused, { ...sound, asked: sound.asked.slice(0, count), wanted });
  expect(some(20, 20)[0]).toContain(`pass: 20 of ${of} sent`);
  expect(some(19, 19)).toEqual([`unknown: only 19 of ${of} requests were sent`]);
  expect(some(20, 21)).toEqual([`unknown: only 20 of ${of} requests were sent`]);
});
