/** Short forms for evidence in proofs, and for what judges make of it in tests. */
import type { CheckOf, Findings, Found, Limits } from "../../src/check.ts";
import type { Said } from "../../src/server/target.ts";
import type { Json } from "../../src/wire/json.ts";
import type { Pace } from "./pace.ts";

export function yes(message = "done"): Said {
  return { kind: "ok", status: 200, code: "", message, why: "", exchange: 1 };
}

export function no(code: string, message: string, why: string, status = 400): Said {
  return { kind: "refused", status, code, message, why, exchange: 1 };
}

/** No answer came. */
export function nothing(why = "timeout"): Said {
  return { kind: "unsure", status: null, code: "", message: "no answer within 15000 ms", why, exchange: 1 };
}

/** The judge's verdict with the check's own limits: each finding as `name: case: data`, or the conclusion as `kind: sentence`. */
export function judged<Seen extends Json, const F extends Findings, L extends Limits>(
  check: CheckOf<Seen, F, L>,
  seen: NoInfer<Seen>,
): string[] {
  const verdict = check.judge(seen, check.limits);
  if (verdict.kind !== "fail") return [`${verdict.kind}: ${verdict.sentence}`];
  return verdict.found.map((one) =>
    [one.name, ...(one.case === undefined ? [] : [one.case]), JSON.stringify(one.data)].join(": "),
  );
}

/** The findings of a judge with the check's own limits; none where it is not red. */
export function foundIn<Seen extends Json, const F extends Findings, L extends Limits>(
  check: CheckOf<Seen, F, L>,
  seen: NoInfer<Seen>,
): readonly Found[] {
  const verdict = check.judge(seen, check.limits);
  return verdict.kind === "fail" ? verdict.found : [];
}

/** Waits that were over soon, that were long enough to show something, and that a slow server explains. */
export const promptPace: Pace = { waitedMs: 20, controlMs: null };
export const latePace: Pace = { waitedMs: 12_000, controlMs: 12 };
export const slowPace: Pace = { waitedMs: 12_000, controlMs: 3_000 };

/** The first evidence of a proof that must pass, to be changed by a test. */
export function soundFor<Seen extends Json, const F extends Findings, L extends Limits>(
  _: CheckOf<Seen, F, L>,
  { holds }: { readonly holds: readonly Json[] },
): Seen {
  return structuredClone(holds[0]) as Seen;
}
