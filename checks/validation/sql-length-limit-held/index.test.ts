import { expect, test } from "vitest";
import { judged, no, nothing, soundFor, yes } from "../../vocabulary/evidence.ts";
import { sqlLengthLimitHeld } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(sqlLengthLimitHeld, proof);
const tooLong = no("INVALID_SQL", "too long", "rule");
const bytes = sound.bytes + 1;
const inconclusive = (what: string): string => `unknown: SQL of ${bytes} bytes is inconclusive: ${what}`;

test.each<readonly [string, typeof sound.beyond, string[]]>([
  ["accepted, and not there", { said: yes(), there: false }, [`acceptedOverLimit: over the limit: {"bytes":${bytes}}`]],
  [
    "rejected, and there",
    { said: tooLong, there: true },
    [`executedThough: over the limit: {"bytes":${bytes},"outcome":"INVALID_SQL too long"}`],
  ],
  ["not answered, and there", { said: nothing(), there: true }, [inconclusive(" no answer within 15000 ms")]],
  ["rejected, and not read", { said: tooLong, there: null }, [inconclusive("INVALID_SQL too long")]],
])("over the limit: %s", (_, beyond, expected) => {
  expect(judged(sqlLengthLimitHeld, { ...sound, beyond })).toEqual(expected);
});
