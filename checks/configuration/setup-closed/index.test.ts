import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { setupClosed } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof setupClosed.judge>[0];
const [sound] = proof.holds as readonly [Seen];

test("a setup that is pending for a remote client is pending, and open to all", () => {
  const forRemote = { ...sound.forRemote, kind: "pending" as const, outcome: "428" };
  expect(judged(setupClosed, { ...sound, forRemote })).toEqual([
    'pending: {"outcome":"428"}',
    'openToRemote: {"from":"203.0.113.9","outcome":"428"}',
  ]);
});
