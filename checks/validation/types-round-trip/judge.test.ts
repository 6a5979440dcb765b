import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { kindOfFlaw } from "./flaws.ts";
import proof from "./proof.ts";
import type { Got, Trip } from "./trips.ts";
import { typesRoundTrip } from "./index.ts";

const sound = soundFor(typesRoundTrip, proof);
const right = sound.types[0]?.trips[0] as Trip;
const value = (text: string): Got => ({ is: "value", text });
const stored = (want: string | readonly string[], got: Got): Trip => ({
  ...right,
  want: typeof want === "string" ? [want] : want,
  before: got,
});
const kind = (want: string | readonly string[], got: string, hasDigits = true) =>
  kindOfFlaw(hasDigits, stored(want, value(got)));

test.each<readonly [string, string, ReturnType<typeof kindOfFlaw>]>([
  ["9007199254740993", "9007199254740992", "lostDigits"],
  ["1000000", "1000001", "lostDigits"],
  ["1000000", "999999", "lostDigits"],
  ["1000000", "1000002", "changed"],
  ["1000000", "1000001.1", "changed"],
  ["-1000000", "-1000001", "lostDigits"],
  ["1000000", "-1000000", "changed"],
  ["0.001", "0.00100000001", "lostDigits"],
  ["0.001", "0.0011", "changed"],
  ["0", "1", "changed"],
  ["NaN", "5", "changed"],
  ["5", "NaN", "changed"],
  ["2026-01-02 03:04:05.123456", "2026-01-02 03:04:05.123000", "lostDigits"],
  ["2026-01-02 03:04:05.123456", "2026-01-02 03:04:06.123456", "changed"],
  ["2026-01-02 03:04:05.123456", "2026-01-03 03:04:05.123456", "changed"],
  ["03:04:05.5", "03:04:05", "lostDigits"],
  ["03:04:05.5", "03:04:06.5", "changed"],
  ["03:04:05.5", "2026-01-02 03:04:05.5", "changed"],
  ["abc", "abd", "changed"],
  ["abc", "03:04:05", "changed"],
])("%s read back as %s is %s", (want, got, flaw) => {
  expect(kind(want, got)).toBe(flaw);
  expect(kind(want, got, false)).toBe("changed");
});

test("close to one of the texts that are right is close, and no value is close to none", () => {
  expect(kind(["5", "1000000"], "1000001")).toBe("lostDigits");
  expect(kindOfFlaw(true, stored("0", { is: "null", text: "" }))).toBe("changed");
  expect(kindOfFlaw(true, stored("0", { is: "gone", text: "" }))).toBe("changed");
  expect(kindOfFlaw(true, stored("0", { is: "unreadable", text: "" }))).toBe("unreadable");
  const unread: Got = { is: "unread", text: "" };
  expect(kindOfFlaw(true, { ...right, before: unread, after: unread })).toBeUndefined();
  expect(kindOfFlaw(true, right)).toBeUndefined();
  expect(kindOfFlaw(true, { ...stored("0", value("1")), taken: "refused" })).toBeUndefined();
});

const first = (change: Partial<Trip>, types = sound.types): string[] =>
  judged(typesRoundTrip, {
    types: types.map((one, at) =>
      at === 0 ? { ...one, trips: [{ ...right, ...change }, ...one.trips.slice(1)] } : one,
    ),
    flushed: sound.flushed,
    toFlush: sound.toFlush,
  });
const about = 'TYPE0, value 0, literal: {"type":"TYPE0","value":"value 0","way":"literal","wrote":"9007199254740993"';

test("what was read back is said, and when", () => {
  const gone: Got = { is: "gone", text: "gone" };
  const nullCell: Got = { is: "null", text: "-" };
  expect(first({ before: gone })).toEqual([`changed: ${about},"got":"no row at all","when":""}`]);
  expect(first({ after: gone })).toEqual([`changed: ${about},"got":"no row at all","when":" after a flush"}`]);
  expect(first({ after: nullCell })).toEqual([`changed: ${about},"got":"NULL","when":" after a flush"}`]);
  expect(first({ before: nullCell, after: gone })).toEqual([`changed: ${about},"got":"NULL","when":""}`]);
  expect(first({ after: value("x") })).toEqual([`changed: ${about},"got":"x","when":" after a flush"}`]);
  expect(first({ before: { is: "unread", text: "slow" }, after: value("x") })).toEqual([
    `changed: ${about},"got":"x","when":" after a flush"}`,
  ]);
  expect(first({ before: { is: "unread", text: "slow" } })).toEqual([
    "unknown: TYPE0, value 0: it was returned in an unknown format, or not at all: slow",
  ]);
  expect(first({ taken: "refused", message: "no" })).toEqual([`refused: ${about},"message":"no"}`]);
});

test("what was rejected was not read, and is none of the values that are identical", () => {
  const unread: Got = { is: "unread", text: "" };
  expect(first({ taken: "refused", mayRefuse: true, before: unread, after: unread })).toEqual([
    "pass: 71 values of 12 types are identical immediately and after a flush, 1 optional ones were rejected",
  ]);
});

test("ten types with sixty values are enough, and those that are missing are named", () => {
  const lacking = (count: number, values = 6) =>
    judged(typesRoundTrip, {
      types: sound.types.map((one, at) =>
        at < count ? { ...one, isOffered: false, trips: [] } : { ...one, trips: one.trips.slice(0, values) },
      ),
      flushed: sound.flushed,
      toFlush: sound.types.length - count,
    });
  expect(lacking(2)).toEqual([
    "pass: 60 values of 10 types are identical immediately and after a flush, 0 optional ones were rejected; this server does not offer TYPE0, TYPE1",
  ]);
  expect(lacking(3)).toEqual(["unknown: only 9 types with 54 values could be tried"]);
  expect(lacking(1, 5)).toEqual(["unknown: only 11 types with 55 values could be tried"]);
  const wide = sound.types.map((one, at) =>
    at < 3 ? { ...one, isOffered: false, trips: [] } : { ...one, trips: [...one.trips, ...one.trips] },
  );
  expect(judged(typesRoundTrip, { types: wide, flushed: sound.flushed, toFlush: 9 })).toEqual([
    "unknown: only 9 types with 108 values could be tried",
  ]);
});

test("at light effort some of the tables are flushed, and the others were read once", () => {
  expect(judged(typesRoundTrip, { ...sound, flushed: sound.flushed.slice(0, 6), toFlush: 6 })).toEqual([
    "pass: 72 values of 12 types are identical immediately and after a flush (6 of the types), 0 optional ones were rejected",
  ]);
  const gone: Got = { is: "gone", text: "gone" };
  expect(first({ before: gone, after: gone })).toEqual([`changed: ${about},"got":"no row at all","when":""}`]);
});

test("each table was flushed", () => {
  for (const at of [0, 11])
    expect(
      judged(typesRoundTrip, {
        ...sound,
        flushed: sound.flushed.map((one, n) => (n === at ? { ...one, status: "failed" } : one)),
      }),
    ).toEqual([expect.stringMatching(/^unknown/)]);
});
