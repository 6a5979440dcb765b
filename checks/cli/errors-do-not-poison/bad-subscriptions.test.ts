import { expect, test } from "vitest";
import { badSubscriptionsFor, poisonedBy } from "./bad-subscriptions.ts";
import { beside } from "./proof.ts";

test("without access levels the subscription without a right is left out, and no other", () => {
  const names = badSubscriptionsFor("levels").map(({ name }) => name);
  expect(names).toHaveLength(5);
  expect(badSubscriptionsFor("policies").map(({ name }) => name)).toEqual(names.slice(0, 4));
  expect(names[4]).toBe("a subscription without a right");
});

const [sound] = beside;
const [late, slow] = [
  { waitedMs: 8_000, controlMs: 800 },
  { waitedMs: 8_000, controlMs: 801 },
];
test.each([
  [{ pace: late }, undefined],
  [{ pace: slow }, undefined],
  [{ pace: late, delivered: false }, "the live query beside it"],
  [{ pace: slow, delivered: false }, "unknown"],
  [{ pace: late, anew: false }, "a new subscription beside it"],
  [{ pace: slow, anew: false }, "unknown"],
  [{ pace: late, refused: false }, "unknown"],
  [{ pace: slow, refused: false }, "unknown"],
  [{ pace: late, refused: false, anew: false }, "unknown"],
  [{ pace: slow, delivered: false, anew: false }, "unknown"],
  [{ pace: slow, delivered: false, refused: false }, "unknown"],
  [{ pace: slow, delivered: false, refused: false, anew: false }, "unknown"],
  [{ elsewhere: false, delivered: false }, "unknown"],
  [{ ended: 1006, times: 1 }, "unknown"],
  [{ ended: 1006, times: 2 }, "the connection"],
])("beside a mistake, %j is %s", (change, wanted) => {
  const harm = sound === undefined ? undefined : poisonedBy({ ...sound, ...change });
  expect(typeof harm === "object" ? harm.asked : harm).toBe(wanted);
});
