import { expect, test } from "vitest";
import { judged, soundFor } from "../../vocabulary/evidence.ts";
import { unacknowledgedRedelivered } from "./index.ts";
import proof from "./proof.ts";

const sound = soundFor(unacknowledgedRedelivered, proof);
const lost = (count: number): string =>
  `notRedelivered: ${JSON.stringify({ lost: count, of: 10, keys: sound.claimed.slice(0, count), timeoutMs: 8_000, waitedMs: 16_000 })}`;

test.each<readonly [string, Partial<typeof sound>, string[]]>([
  ["one", { again: sound.claimed.slice(1), waitedMs: 16_000 }, [lost(1)]],
  [
    "two of three, the other of which is nowhere",
    { again: sound.claimed.slice(3), inTopic: ["0", "1"], waitedMs: 16_000 },
    [lost(2)],
  ],
  [
    "one, and not waited for twice the time-out",
    { again: sound.claimed.slice(1), waitedMs: 15_999 },
    ["unknown: 1 messages were delivered again to nobody, in no group"],
  ],
  [
    "one that is nowhere",
    { again: sound.claimed.slice(1), inTopic: [], waitedMs: 16_000 },
    ["unknown: 1 messages were delivered again to nobody, in no group"],
  ],
])("not delivered again: %s", (_, change, verdict) => {
  expect(judged(unacknowledgedRedelivered, { ...sound, ...change })).toEqual(verdict);
});
