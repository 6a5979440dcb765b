import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { longTextExact } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(longTextExact, proof);
type Trip = (typeof sound.trips)[number];
type Oversized = (typeof sound.oversized)[number];
const seen = (change: Partial<typeof sound>): string[] => judged(longTextExact, { ...sound, ...change });
const withTrip = (at: number, change: Partial<Trip>): string[] =>
  seen({ trips: sound.trips.map((one, index) => (index === at ? { ...one, ...change } : one)) });
const over = (change: Partial<Oversized>, direct = true): string[] =>
  seen({ oversized: sound.oversized.map((one, at) => (at === 0 ? { ...one, ...change } : one)), direct });
const exact = { bytes: 100_000, sha256: "a1", isPrefix: false, wanted: "", got: "" };
const other = { ...exact, sha256: "c3", wanted: "é", got: "e" };
const cut = { ...other, isPrefix: true, bytes: 65_536 };
const gone = "gone" as const;

test.each([0, 1, 2, 3])("text %i is judged by itself, before and after the flush", (at) => {
  const { bytes, way } = sound.trips[at] ?? { bytes: 0, way: "" };
  const told = (name: string, when: string, more: object = {}): string[] => [
    `${name}: ${bytes} bytes as a ${way}: ${JSON.stringify({ bytes, way, when, ...more })}`,
  ];
  for (const [side, when] of [
    ["before", ""],
    ["after", " after a flush"],
  ] as const) {
    expect(withTrip(at, { [side]: other })).toEqual(told("changed", when, { wanted: "é", got: "e" }));
    expect(withTrip(at, { [side]: cut })).toEqual(told("cutShort", when, { got: 65_536 }));
    expect(withTrip(at, { [side]: gone })).toEqual(told("lost", when));
    expect(withTrip(at, { [side]: null })).toEqual([`unknown: ${bytes} bytes as a ${way}: it could not be read back`]);
  }
  // The first that is wrong is told; what could not be read before does not hide what is wrong after.
  expect(withTrip(at, { before: cut, after: other })).toEqual(told("cutShort", "", { got: 65_536 }));
  expect(withTrip(at, { before: null, after: gone })).toEqual(told("lost", " after a flush"));
  for (const said of [nothing(), no("INVALID_SQL", "too long", "limit")])
    expect(withTrip(at, { said, before: other, after: gone })).toEqual([
      `unknown: ${bytes} bytes as a ${way}: not stored: ${said.message}`,
    ]);
});

test("four texts are needed, and one of 100,000 bytes", () => {
  const sized = (...sizes: number[]): string[] =>
    seen({ trips: sizes.map((bytes) => ({ ...(sound.trips[0] as Trip), bytes })) });
  expect(sized(100_000, 9, 9, 9)).toEqual([
    "pass: 4 texts of up to 100000 bytes are identical immediately and after a flush; 2 of 2 longer ones were refused, the others stored exactly",
  ]);
  expect(sized(99_999, 9, 9, 9)).toEqual(["unknown: only 4 texts were stored"]);
  expect(sized(100_000, 9, 9)).toEqual(["unknown: only 3 texts were stored"]);
});

const case1 = "1500000 bytes as a literal";

test("a text that is too long must be kept exactly where it is accepted", () => {
  const kept = { ...exact, sha256: "b2" };
  const stored = (text: string): string[] => [
    `overAccepted: ${case1}: ${JSON.stringify({ bytes: 1_500_000, way: "literal", stored: text })}`,
  ];
  expect(over({ said: yes(), before: kept })).toEqual([expect.stringMatching(/^pass: .*; 1 of 2 longer/)]);
  expect(over({ said: yes(), before: { ...kept, sha256: "b3" } })).toEqual(
    stored("it was read back with 100000 bytes"),
  );
  expect(over({ said: yes(), before: gone })).toEqual(stored("its row is missing"));
  expect(over({ said: yes(), before: null })).toEqual([
    `unknown: ${case1}: it was accepted, and could not be read back`,
  ]);
  // What was refused may be gone, and need not have been looked for.
  for (const before of [gone, null, other]) expect(over({ before })).toEqual([expect.stringMatching(/^pass/)]);
});

test.each([
  ["reset", true],
  ["cut", true],
  ["timeout", false],
  ["unreachable", false],
])("a request that broke by %s is a lost connection: %s, if nothing is in between", (why, isLost) => {
  const said = nothing(why);
  const unclear = [`unknown: ${case1}: ${said.message}`];
  expect(over({ said })).toEqual(
    isLost
      ? [expect.stringMatching(/^connectionLost: .*"why":"the connection ended twice without an answer: no/)]
      : unclear,
  );
  expect(over({ said }, false)).toEqual(unclear);
});

test.each([
  ["reset", true],
  ["cut", true],
  ["unavailable", true],
  ["unreachable", true],
  ["timeout", false],
  ["malformed", false],
])("a next query that broke by %s is a lost connection: %s", (why, isLost) => {
  const next = { ...nothing(why), message: "odd" };
  const lost = `connectionLost: ${case1}: ${JSON.stringify({ bytes: 1_500_000, way: "literal", why: "a simple query was not answered twice: odd" })}`;
  for (const direct of [true, false])
    expect(over({ next }, direct)).toEqual([isLost ? lost : expect.stringMatching(/^pass/)]);
  // Where the text itself was not answered, the network may be down.
  expect(over({ said: nothing(), next })).toEqual([expect.stringMatching(/^unknown/)]);
  // An answer is an answer.
  expect(over({ next: { ...no("X", "odd", why), kind: "refused" } })).toEqual([expect.stringMatching(/^pass/)]);
});
