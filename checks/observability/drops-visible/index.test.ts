import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { dropsVisible } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof dropsVisible.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(dropsVisible, { ...sound, ...change });

test("600 acknowledged rows are enough, fewer are not", () => {
  expect(judge({ acknowledged: 600, received: 600 })).toEqual([expect.stringMatching(/^pass: nothing was dropped/)]);
  expect(judge({ acknowledged: 599, received: 599 })).toEqual([
    "unknown: only 599 rows were acknowledged; at least 600 are needed",
  ]);
});
