import { expect, test } from "vitest";
import { judged, yes } from "../../vocabulary/evidence.ts";
import { badFlushPolicyRefused } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof badFlushPolicyRefused.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const accepted = (name: string, made: string | null): string[] =>
  judged(badFlushPolicyRefused, {
    ...sound,
    bad: sound.bad.map((one, at) => (at === 0 ? { ...one, case: name, said: yes(), made } : one)),
  });

test("an accepted policy is told as it was sent, with what the server made of it", () => {
  expect(accepted("rows:-100", "{}")).toEqual(['accepted: rows:-100: {"policy":"rows:-100","options":"{}"}']);
  expect(accepted("empty", null)).toEqual(['accepted: empty: {"policy":"","options":""}']);
});
