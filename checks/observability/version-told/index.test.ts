import { expect, test } from "vitest";
import { judged } from "../../vocabulary/evidence.ts";
import { versionTold } from "./index.ts";

const told = (place: string, version: string | null) => ({ place, version, unread: null, exchange: 1 });

test("the first place that tells another version than the others is enough", () => {
  expect(
    judged(versionTold, {
      told: [told("GET /health", "0.4.2"), told("system.stats", "0.4.3"), told("node 1", "0.4.3")],
    }),
  ).toEqual(['mixed: {"told":["GET /health 0.4.2","system.stats 0.4.3","node 1 0.4.3"]}']);
});
