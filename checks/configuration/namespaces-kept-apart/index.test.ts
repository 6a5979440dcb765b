import { expect, test } from "vitest";
import { judged, nothing, yes } from "../../vocabulary/evidence.ts";
import { namespacesKeptApart } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof namespacesKeptApart.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const { names } = sound;
const last = names.at(-1) ?? "";

test("a namespace that is listed twice is extra, one of four that is not listed is lost", () => {
  expect(judged(namespacesKeptApart, { ...sound, listed: [...names, last] })).toEqual([`extra: {"names":["${last}"]}`]);
  expect(judged(namespacesKeptApart, { ...sound, listed: names.slice(0, 3) })).toEqual([`lost: {"names":["${last}"]}`]);
});

test("both repeats must be rejected: the plain one and the one in capitals", () => {
  const accepted = (which: "plain" | "capital"): string[] =>
    judged(namespacesKeptApart, { ...sound, [which]: { ...sound[which], said: yes() } });
  expect(accepted("plain")).toEqual([`duplicateAccepted: {"statement":"${sound.plain.statement}"}`]);
  expect(accepted("capital")).toEqual([`duplicateAccepted: {"statement":"${sound.capital.statement}"}`]);
});

test("three namespaces, or three repeats, are too few", () => {
  const three = { names: names.slice(0, 3), created: sound.created.slice(0, 3), listed: names.slice(0, 3) };
  expect(judged(namespacesKeptApart, { ...sound, ...three })).toEqual([expect.stringMatching(/^unknown: only 3 of 4/)]);
  expect(judged(namespacesKeptApart, { ...sound, repeated: sound.repeated.slice(1) })).toEqual([
    "unknown: CREATE NAMESPACE IF NOT EXISTS did not succeed: it was not sent",
  ]);
});

test("a name is taken if either statement for it was acknowledged, and only then is a repeat a duplicate", () => {
  const first = (created: boolean, repeated: boolean): string[] =>
    judged(namespacesKeptApart, {
      ...sound,
      created: [created ? yes() : nothing(), ...sound.created.slice(1)],
      repeated: [repeated ? yes() : nothing(), ...sound.repeated.slice(1)],
      plain: { ...sound.plain, said: yes() },
    });
  const duplicate = [`duplicateAccepted: {"statement":"${sound.plain.statement}"}`];
  expect(first(true, false)).toEqual(duplicate);
  expect(first(false, true)).toEqual(duplicate);
  expect(first(false, false)).toEqual([expect.stringMatching(/^unknown/)]);
});
