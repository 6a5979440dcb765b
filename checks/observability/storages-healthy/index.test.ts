import { expect, test } from "vitest";
import { judged, no, nothing, yes } from "../../vocabulary/evidence.ts";
import { storagesHealthy } from "./index.ts";
import proof from "./proof.ts";

type Seen = Parameters<typeof storagesHealthy.judge>[0];
const [sound] = proof.holds as readonly [Seen];
const judge = (change: Partial<Seen>): string[] => judged(storagesHealthy, { ...sound, ...change });
const [checked] = sound.checked;
if (checked === undefined) throw new Error("no storages");

test("our storage must be in both lists, and so must each that one of them has", () => {
  expect(judge({ ofTable: "s3" })).toEqual([
    'missing: s3: {"storage":"s3","where":"system.storages"}',
    'missing: s3: {"storage":"s3","where":"SHOW STORAGES"}',
  ]);
  expect(judge({ listed: ["local", "s3"] })).toEqual(['missing: s3: {"storage":"s3","where":"SHOW STORAGES"}']);
  expect(judge({ inShow: ["local", "s3"] })).toEqual(['missing: s3: {"storage":"s3","where":"system.storages"}']);
});

test("a list that was not read misses nothing", () => {
  expect(judge({ listed: null, inShow: ["local"] })).toEqual([
    expect.stringMatching(/^unknown: the storages could not/),
  ]);
  expect(judge({ inShow: null })).toEqual([expect.stringMatching(/^unknown: the storages could not/)]);
});

test("a storage is unhealthy by its state or by one thing that it cannot do", () => {
  expect(judge({ checked: [{ ...checked, status: "" }] })).toEqual([expect.stringContaining('"status":"nothing"')]);
  expect(judge({ checked: [{ ...checked, status: "degraded" }] })).toEqual([
    expect.stringContaining('"status":"degraded"'),
  ]);
  expect(judge({ checked: [{ ...checked, unable: ["write"] }] })).toEqual([
    expect.stringContaining('"unable":["write"]'),
  ]);
});

test("a storage that does not exist may be answered, not called healthy", () => {
  const bogus = (said: Seen["bogus"]["said"], status: string): string[] =>
    judge({ bogus: { ...sound.bogus, said, status } });
  expect(bogus(yes(), "healthy")).toEqual([expect.stringMatching(/^alwaysHealthy/)]);
  expect(bogus(yes(), "unreachable")).toEqual([expect.stringMatching(/^pass/)]);
  expect(bogus(no("X", "y", "missing"), "healthy")).toEqual([expect.stringMatching(/^pass/)]);
});

test("without a check of any there is nothing to pass", () => {
  expect(judge({ checked: [] })).toEqual(["unknown: no storage could be checked"]);
  expect(judge({ checked: [{ ...checked, said: nothing(), status: "" }] })).toEqual([
    "unknown: STORAGE CHECK local was not answered: no answer within 15000 ms",
  ]);
});
