import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { manyClientsAllServed } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(manyClientsAllServed, proof);
type Wish = (typeof sound.wishes)[number];
type Said = Wish["attempts"][number]["said"];
const seen = (change: Partial<typeof sound>): string[] => judged(manyClientsAllServed, { ...sound, ...change });
const slower = no("RATE_LIMIT_EXCEEDED", "slower", "rate", 429);
/** A wish with these answers, beside those of the others. */
const wish = (client: number, ...said: Said[]): Wish => ({
  client,
  attempts: said.map((one, at) => ({ key: 90 + 10 * client + at, said: one, from: 0, to: 20 })),
});
const first = (...said: Said[]): string[] => seen({ wishes: [wish(0, ...said), ...sound.wishes.slice(1)] });
const unserved = (clients: number, said: string): string[] => [
  `neverServed: ${JSON.stringify({ clients, of: 20, tries: 3, said })}`,
];

test("three refusals are needed, each by the server; the last is quoted", () => {
  const refused = no("BUSY", "later", "", 400);
  expect(first(slower, slower, refused)).toEqual(unserved(1, "400 BUSY later"));
  expect(first(slower, slower)).toEqual(["unknown: 1 of 20 writes got no answer: 429 RATE_LIMIT_EXCEEDED slower"]);
  expect(first()).toEqual(["unknown: 1 of 20 writes got no answer: "]);
  expect(first(slower, slower, yes())).toEqual([expect.stringMatching(/^lostRows/)]);
});

test.each<[string, Said, boolean]>([
  ["no answer", nothing(), false],
  ["an answer that cannot be read", { ...nothing("malformed"), status: 200 }, false],
  ["a status of 399", { ...nothing("unrecognised"), status: 399 }, false],
  ["a status of 400", { ...nothing("unrecognised"), status: 400 }, true],
  ["a status of 500", { ...nothing("unrecognised"), status: 500 }, true],
  ["a proxy's 502", { ...nothing("unavailable"), status: 502 }, false],
  ["the server's 503", { ...nothing("unavailable"), status: 503, code: "BUSY" }, true],
])("%s is a refusal: %j, %s", (_, said, isRefusal) => {
  for (const at of [0, 1, 2]) {
    const answers = [0, 1, 2].map((n) => (n === at ? said : slower));
    expect(first(...answers)).toEqual([expect.stringMatching(isRefusal ? /^neverServed/ : /^unknown: 1 of 20/)]);
  }
});

test("clients are counted once, and those without an answer are told by the first of them", () => {
  const never = [slower, slower, slower];
  const wishes = [wish(0, ...never), wish(0, ...never), wish(7, ...never), ...sound.wishes.slice(3)];
  expect(seen({ wishes })).toEqual(unserved(2, "429 RATE_LIMIT_EXCEEDED slower"));
  const open = [
    { ...nothing(), message: "first" },
    { ...nothing(), message: "second" },
  ];
  expect(seen({ wishes: [...open.map((said, at) => wish(at, said)), ...sound.wishes.slice(2)] })).toEqual([
    "unknown: 2 of 20 writes got no answer: no answer first",
  ]);
});

test.each([0, 7, 19])("the acknowledged row %i must be in the table with its value", (key) => {
  const [stored] = [sound.stored ?? []];
  const lost = [`lostRows: ${JSON.stringify({ rows: 1, of: 20, first: [key] })}`];
  expect(seen({ stored: stored.filter((row) => row.key !== key) })).toEqual(lost);
  expect(seen({ stored: stored.map((row) => (row.key === key ? { ...row, right: false } : row)) })).toEqual(lost);
});

test("a refused row must not be in the table, wherever it stands there and with any value", () => {
  const wishes = [wish(1, slower, yes()), ...sound.wishes];
  const own = { key: 101, right: true };
  for (const right of [true, false]) {
    const row = { key: 100, right };
    for (const stored of [
      [row, ...(sound.stored ?? []), own],
      [...(sound.stored ?? []), own, row],
    ])
      expect(seen({ wishes, stored })).toEqual([
        `refusedButDone: ${JSON.stringify({ rows: 1, said: "429 RATE_LIMIT_EXCEEDED slower", first: [100] })}`,
      ]);
  }
});

test("at most five keys are named", () => {
  expect(seen({ stored: (sound.stored ?? []).slice(7) })).toEqual([
    `lostRows: ${JSON.stringify({ rows: 7, of: 20, first: [0, 1, 2, 3, 4] })}`,
  ]);
  expect(seen({ stored: null })).toEqual(["unknown: the table could not be read afterwards"]);
});

test("four requests must have been in flight at one moment", () => {
  const flights = (times: (at: number) => readonly [from: number, to: number]): string[] =>
    seen({
      wishes: sound.wishes.map((one, at) => {
        const [from, to] = times(at);
        return { ...one, attempts: one.attempts.map((attempt) => ({ ...attempt, from, to })) };
      }),
    });
  const together = (count: number): string[] => flights((at) => (at < count ? [0, 5] : [10 * at, 10 * at + 10]));
  expect(together(4)).toEqual([
    expect.stringMatching(/^pass: 20 writes of 20 clients .*, 4 in flight together, 0 tried/),
  ]);
  expect(together(3)).toEqual(["unknown: only 3 requests were in flight together; at least 4 are needed"]);
  // One begins when the other ends.
  expect(flights((at) => [at, at + 1])).toEqual([expect.stringMatching(/^unknown: only 1 requests/)]);
});
