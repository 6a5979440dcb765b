import { expect, test } from "vitest";
import { judged, no, yes } from "../../vocabulary/evidence.ts";
import { casesFor } from "./cases.ts";
import { badNamespaceRefused } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof badNamespaceRefused.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const having = (name: string, said: object, created: readonly string[] = []): string[] => {
  const attempts = sound.attempts.map((one) => (one.case === name ? { ...one, said: { ...one.said, ...said } } : one));
  return judged(badNamespaceRefused, { ...sound, attempts, created });
};
const broken = { kind: "unsure", status: 500, message: "panic" };

test("the first name is judged like the others", () => {
  expect(having("empty", yes())).toEqual([expect.stringMatching(/^accepted: empty: .*"created":\[\]/)]);
});

test("an accepted name counts if nothing is listed, a rejected one if something is", () => {
  expect(having("hyphen", yes())).toEqual([expect.stringMatching(/^accepted: hyphen: .*"created":\[\]/)]);
  expect(having("hyphen", {}, ["kr_a1b2c_1_n04"])).toEqual([expect.stringMatching(/^accepted: hyphen: .*_n04"\]/)]);
});

test("a name without the run's own part is found by its text", () => {
  const attempts = sound.attempts.map((one) =>
    one.case === "reserved word select" ? { ...one, text: "SELECT" } : one,
  );
  expect(judged(badNamespaceRefused, { ...sound, attempts, created: ["select"] })).toEqual([
    'accepted: reserved word select: {"text":"SELECT","created":["select"]}',
  ]);
});

test("trailing text is ignored only if a namespace appears", () => {
  expect(having("trailing text", yes())).toEqual([expect.stringMatching(/^accepted: trailing text/)]);
  expect(having("trailing text", {}, ["kr_a1b2c_1_n11"])).toEqual([expect.stringMatching(/^trailingTextIgnored/)]);
  expect(having("dot", {}, ["kr_a1b2c_1_n05"])).toEqual([expect.stringMatching(/^accepted: dot/)]);
});

test("a server error is that, and not an accepted name besides", () => {
  expect(having("emoji", broken, ["kr_a1b2c_1_n06"])).toEqual([
    expect.stringMatching(/^brokeServer: emoji: .*500 panic/),
  ]);
});

test("no answer at all is no server error, and two names may exist already", () => {
  expect(having("dot", { kind: "unsure", status: null })).toEqual([expect.stringMatching(/^unknown/)]);
  expect(having("dot", no("X", "y", "rule", 499))).toEqual([expect.stringMatching(/^pass/)]);
  expect(judged(badNamespaceRefused, { ...sound, attempts: sound.attempts.slice(3) })).toEqual([
    "unknown: only 11 of 14 names could be tried; the others exist already",
  ]);
});

test("names that are invalid only in ASCII are left out where names are not limited to it", () => {
  const all = casesFor("ascii").map(({ name }) => name);
  const beyond = casesFor("unicode").map(({ name }) => name);
  expect(all).toHaveLength(14);
  expect(all.filter((name) => !beyond.includes(name))).toEqual([
    "emoji",
    "letter with an umlaut",
    "reserved word select",
  ]);
  expect(beyond).toHaveLength(11);
});
