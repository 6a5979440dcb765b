import { expect, test } from "vitest";
import type { Control, TrialOutcome, TrialSettings } from "../wire/control.ts";
import type { Wire } from "../wire/wire.ts";
import { trialFault } from "./control.ts";

const outcome: TrialOutcome = {
  answered: false,
  exitCode: 1,
  tookMs: 5,
  stderr: "bad",
  stdout: "",
  leftListening: false,
};
const noFile: TrialSettings = { kind: "noFile" };
const text: TrialSettings = { kind: "text", text: "x" };

function wireOver(tried: unknown[]): Wire & { control: Control } {
  return {
    exchange: () => Promise.reject(new Error("nothing is sent here")),
    control: {
      kind: "process",
      own: {
        lowered: {},
        residentBytes: () => undefined,
        port: 7,
        trial(settings, withinMs) {
          tried.push([settings, withinMs]);
          return Promise.resolve(outcome);
        },
        stderr: () => "",
      },
    },
  };
}

test("an intercepted trial is replaced and counts as fired", async () => {
  const tried: unknown[] = [];
  let fired = 0;
  const fault = trialFault("start anyway", () => Promise.resolve({ ...outcome, answered: true }));
  const { control } = fault.wrap(wireOver(tried), () => (fired += 1));
  expect(await control?.own?.trial(noFile, 9)).toEqual({ ...outcome, answered: true });
  expect([fired, tried]).toEqual([1, []]);
  expect(control).toMatchObject({ kind: "process", own: { port: 7 } });
});

test("other settings can be tried instead, with the same time limit", async () => {
  const tried: unknown[] = [];
  const fault = trialFault("f", async (_, trial) => ({ ...(await trial(text)), stderr: "" }));
  expect(await fault.wrap(wireOver(tried), () => undefined).control?.own?.trial(noFile, 9)).toEqual({
    ...outcome,
    stderr: "",
  });
  expect(tried).toEqual([[text, 9]]);
});

test("a trial that is not intercepted passes unchanged", async () => {
  const tried: unknown[] = [];
  let fired = 0;
  const fault = trialFault("f", (settings) => (settings.kind === "text" ? Promise.resolve(outcome) : undefined));
  expect(await fault.wrap(wireOver(tried), () => (fired += 1)).control?.own?.trial(noFile, 9)).toBe(outcome);
  expect([fired, tried]).toEqual([0, [[noFile, 9]]]);
});

test("a wire without control is returned unchanged", () => {
  const { exchange } = wireOver([]);
  const wire: Wire = { exchange };
  expect(trialFault("f", () => undefined).wrap(wire, () => undefined)).toBe(wire);
});
