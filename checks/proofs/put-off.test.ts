/** Runs when all others are done. */
import { expect, test } from "vitest";
import { leftUntried } from "../../test/put-off.ts";
import { proveWhatWasPutOff } from "../../test/proofs.ts";

const count = await proveWhatWasPutOff();

test(`what was undetermined beside other tests is tried alone: ${count} groups`, () => {
  expect(leftUntried()).toEqual([]);
});
