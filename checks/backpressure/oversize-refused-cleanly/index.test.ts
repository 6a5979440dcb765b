import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { oversizeRefusedCleanly } from "./index.ts";
import { boundsOf, type Limit, type Sized } from "./looking.ts";
import proof from "./proof.ts";
import { parts, type Part } from "./trying.ts";

const sound = soundFor(oversizeRefusedCleanly, proof);
const seen = (limits: readonly Limit[], direct = true): string[] =>
  judged(oversizeRefusedCleanly, { limits: [...limits], direct });
const withLimit = (part: Part, change: (one: Limit) => Partial<Limit>, direct = true): string[] =>
  seen(
    sound.limits.map((one) => (one.part === part ? { ...one, ...change(one) } : one)),
    direct,
  );
const withTry = (part: Part, place: number, change: Partial<Sized>, direct = true): string[] =>
  withLimit(
    part,
    ({ tries }) => ({ tries: tries.map((one, at) => (at === place ? { ...one, ...change } : one)) }),
    direct,
  );
const passes = [expect.stringMatching(/^pass/)];
const [half, limit] = [524_288, 1_048_576];
const fine = { kind: "fine", text: "200" } as const;
const [spoilt, gone, unclear] = [
  { kind: "spoilt", text: "400" } as const,
  { kind: "gone", text: "unreachable" } as const,
  { kind: "unclear", text: "timeout" } as const,
];
const pace = { waitedMs: 5_000, controlMs: 500 };

/** The first try of each part is of half a mebibyte. */
test.each(parts)("the first try of a %s is judged like the others", (part) => {
  const told = (name: string, data: object): string[] => [
    `${name}: ${part}: ${JSON.stringify({ part, bytes: half, ...data })}`,
  ];
  const first = (change: Partial<Sized>, direct = true): string[] => withTry(part, 0, change, direct);
  expect(first({ kind: "truncated", text: "200 n = 7" })).toEqual(
    told("accepted", { why: "only a part of it was read (200 n = 7)" }),
  );
  expect(first({ kind: "failed", text: "500 X" })).toEqual(told("serverError", { outcome: "500 X" }));
  const cut = { kind: "cut", text: "reset" } as const;
  const noMore = told("serverError", { outcome: "reset, and then no query was answered (unreachable)" });
  for (const direct of [true, false]) expect(first({ ...cut, next: gone }, direct)).toEqual(noMore);
  expect(first({ ...cut, next: fine })).toEqual(told("cutOff", { outcome: "reset" }));
  expect(first({ kind: "silent", next: fine, pace })).toEqual(told("hung", pace));
  expect(first({ kind: "refused", next: spoilt })).toEqual(told("spoiltNext", { outcome: "400" }));
});

test("what may be the network's doing, or that of the moment, is unknown", () => {
  const second = (change: Partial<Sized>, direct = true): string[] => withTry("body", 2, change, direct);
  const odd = (because: string): string[] => [`unknown: body: 2,097,152 bytes: ${because}`];
  for (const next of [spoilt, unclear, null])
    expect(second({ kind: "cut", text: "reset", next })).toEqual(odd("reset"));
  expect(second({ kind: "cut", text: "reset", next: fine }, false)).toEqual(odd("reset"));
  for (const next of [spoilt, gone, unclear, null])
    expect(second({ kind: "silent", next, pace })).toEqual([expect.stringMatching(/^unknown: body: .*: no answer; /)]);
  for (const late of [
    { ...pace, controlMs: 501 },
    { ...pace, controlMs: null },
  ])
    expect(second({ kind: "silent", next: fine, pace: late })).toEqual([expect.stringMatching(/: no answer; /)]);
  // Only silence is late.
  expect(second({ kind: "refused", next: fine, pace })).toEqual(passes);
  expect(second({ kind: "unclear", text: "503", next: fine, pace })).toEqual(odd("503"));
  expect(second({ kind: "unclear", text: "503", next: gone })).toEqual(odd("503"));
  for (const next of [gone, unclear])
    expect(second({ kind: "refused", next })).toEqual([
      `unknown: body: after 2,097,152 bytes a simple query got ${next.text}`,
    ]);
  // What spoils the next query after another outcome is told once, by that.
  expect(second({ kind: "failed", text: "500", next: spoilt })).toEqual([expect.stringMatching(/^serverError/)]);
});

test.each(parts)("of a %s nothing above the limit that the settings tell may be accepted", (part) => {
  const accepted = { why: "the server's settings tell a limit of 1,048,575 bytes" };
  expect(withLimit(part, () => ({ told: limit }))).toEqual([expect.stringContaining(", the settings tell 1,048,576")]);
  expect(withLimit(part, () => ({ told: limit - 1 }))).toEqual([
    `accepted: ${part}: ${JSON.stringify({ part, bytes: limit, ...accepted })}`,
  ]);
});

test("what is accepted twice above what is refused twice is no limit", () => {
  const [one] = sound.limits[1]?.tries ?? [];
  if (one === undefined) throw new Error("no tries");
  const yes = (bytes: number): Sized => ({ ...one, bytes, kind: "accepted", text: "200", next: null });
  const no = (bytes: number): Sized => ({ ...one, bytes, kind: "refused", text: "400 X", next: fine });
  const tried = (...tries: Sized[]): string[] => withLimit("body", () => ({ tries }));
  const found = [`accepted: body: ${JSON.stringify({ part: "body", bytes: 300, why: "100 bytes are refused" })}`];
  expect(tried(yes(50), no(100), yes(300), no(100), yes(200))).toEqual(found);
  const sometimes = ["unknown: body: sometimes refused and sometimes accepted"];
  // Each once only; and what was refused at other sizes does not count.
  expect(tried(yes(50), no(100), yes(300), yes(200))).toEqual(sometimes);
  expect(tried(yes(50), no(100), yes(300), no(100))).toEqual(sometimes);
  expect(tried(yes(50), no(100), yes(300), no(150), yes(200))).toEqual(sometimes);
  expect(tried(yes(50), yes(100), no(100), yes(300), yes(200))).toEqual(sometimes);
  expect(tried(yes(50), no(100), yes(300), no(400), no(100))).toEqual(sometimes);
  // The size itself is not above it.
  expect(tried(yes(50), yes(100), yes(100), no(100), no(100), no(200))).toEqual([
    expect.stringContaining("a body of 50 bytes is accepted, one of 100 refused with 400 X;"),
  ]);
});

test("the limit must be enclosed, and twice as much tried", () => {
  const tried = (...sizes: readonly [bytes: number, kind: Sized["kind"]][]): string[] =>
    withLimit("statement", ({ tries }) => ({
      tries: sizes.map(([bytes, kind]) => ({
        ...(tries[0] as Sized),
        bytes,
        kind,
        next: kind === "accepted" ? null : fine,
      })),
    }));
  expect(tried([10, "accepted"], [11, "refused"], [22, "refused"])).toEqual(passes);
  expect(tried([10, "accepted"], [11, "refused"], [21, "refused"])).toEqual([
    "unknown: statement: twice the limit (11 bytes) was not tried",
  ]);
  expect(tried([10, "accepted"])).toEqual(["unknown: statement: no limit was met up to 10 bytes"]);
  expect(tried([12, "refused"], [10, "refused"])).toEqual(["unknown: statement: even 10 bytes were not accepted"]);
  for (const part of parts)
    expect(seen(sound.limits.filter((one) => one.part !== part))).toEqual([`unknown: ${part}: it was not tried`]);
});

test("who refused at the limit is told, and how often a hasty client sees nothing", () => {
  const by = (name: string): string[] => withTry("body", 3, { by: name, text: "413", tookMs: 77, hasty: "reset" });
  expect(by("nginx")).toEqual([
    expect.stringMatching(/refused with 413 by nginx;.* within 77 ms, 1 of them early: .* only reset, a simple query/),
  ]);
  expect(by("")).toEqual([expect.stringMatching(/refused with 413;/)]);
});

test("the bounds: the smallest refused size and the largest accepted one below it", () => {
  const of = (...sizes: readonly [number, Sized["kind"]][]): object =>
    boundsOf(sizes.map(([bytes, kind]) => ({ bytes, kind })));
  expect(of()).toEqual({ accepted: 0, refused: Infinity });
  expect(of([5, "accepted"], [9, "failed"])).toEqual({ accepted: 5, refused: Infinity });
  expect(of([5, "accepted"], [7, "accepted"], [9, "refused"], [8, "refused"])).toEqual({ accepted: 7, refused: 8 });
  expect(of([5, "accepted"], [8, "accepted"], [8, "refused"], [12, "accepted"])).toEqual({ accepted: 5, refused: 8 });
});
