import { expect, test } from "vitest";
import { judged, yes } from "../../vocabulary/evidence.ts";
import { unknownTypeRefused } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof unknownTypeRefused.judge>[0];
const [sound] = proof.holds as readonly [Seen];

test("an accepted table that is not listed was silently made into another", () => {
  const bad = sound.bad.map((one, at) => (at === 0 ? { ...one, said: yes(), made: null } : one));
  expect(judged(unknownTypeRefused, { ...sound, bad })).toEqual([
    'silentlyIgnored: table type: {"case":"table type","options":"the table is not listed"}',
  ]);
});

test("where there are no access levels, four words are enough, and three are too few", () => {
  const bad = sound.bad.filter((one) => one.case !== "access level");
  for (const sharedAccess of ["policies", null] as const) {
    expect(judged(unknownTypeRefused, { ...sound, sharedAccess, bad })).toEqual([
      expect.stringMatching(/^pass: 4 of 4/),
    ]);
    expect(judged(unknownTypeRefused, { ...sound, sharedAccess, bad: bad.slice(1) })).toEqual([
      expect.stringMatching(/^unknown/),
    ]);
  }
  expect(judged(unknownTypeRefused, { ...sound, bad })).toEqual([expect.stringMatching(/^unknown/)]);
});
