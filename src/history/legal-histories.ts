/**
 * Random histories of a store that does everything right: clients send one operation after the other, each takes effect at
 * one moment between its sending and its answer, and some answers never arrive. What a judge says of them is a false alarm.
 */
import fc from "fast-check";
import type { OperationOutcome } from "./history.ts";

/** What a client does next, and how it goes. All times are milliseconds. */
interface Step<What> {
  readonly what: What;
  readonly pauseMs: number;
  /** From sending to effect and from effect to answer. */
  readonly beforeMs: number;
  readonly afterMs: number;
  /** `late`: no answer, and it takes effect after the client stopped waiting. `never`: no answer and no effect. */
  readonly fate: "answered" | "unanswered" | "late" | "never";
}

/** The steps of each client, one after the other. */
export type Plan<What> = readonly (readonly Step<What>[])[];

/** Plans of two to five clients. `calm`: every request is answered. */
export function plans<What>(what: fc.Arbitrary<What>, { calm = false } = {}): fc.Arbitrary<Plan<What>> {
  const step = fc.record({
    what,
    pauseMs: fc.nat(6),
    beforeMs: fc.integer({ min: 1, max: 9 }),
    afterMs: fc.integer({ min: 1, max: 9 }),
    fate: fc.constantFrom(
      ...(["answered", "answered", "answered", "answered", "answered"] as const),
      ...(calm ? [] : (["unanswered", "late", "never"] as const)),
    ),
  });
  return fc.array(fc.array(step, { maxLength: 12 }), { minLength: 2, maxLength: 5 });
}

/** One operation of a plan as the clients saw it. `result` is null unless it was answered. */
export interface Played<What, Result> {
  readonly what: What;
  readonly result: Result | null;
  readonly client: number;
  readonly statement: number;
  readonly dueAt: number;
  readonly invokedAt: number;
  readonly returnedAt: number;
  readonly outcome: OperationOutcome;
}

/** What the store does at the moment of an operation's effect. `refused`: nothing, and it says so. */
export type Apply<What, Result> = (what: What, at: number) => { readonly result: Result; readonly refused?: boolean };

/** Plays a plan; the operations in the order in which they were sent. */
export function play<What, Result>(plan: Plan<What>, apply: Apply<What, Result>): Played<What, Result>[] {
  const timed = plan.flatMap((steps, client) => {
    let now = client;
    return steps.map((step) => {
      const invokedAt = now + step.pauseMs;
      now = invokedAt + step.beforeMs + step.afterMs;
      const effectAt = invokedAt + step.beforeMs + (step.fate === "late" ? 5 * step.afterMs : 0);
      return { ...step, client, invokedAt, returnedAt: now, effectAt };
    });
  });
  const results = new Map<object, { readonly result: Result; readonly refused?: boolean }>();
  for (const one of timed.toSorted((a, b) => a.effectAt - b.effectAt))
    if (one.fate !== "never") results.set(one, apply(one.what, one.effectAt));
  return timed
    .toSorted((a, b) => a.invokedAt - b.invokedAt)
    .map((one, statement) => {
      const { what, client, invokedAt, returnedAt } = one;
      const answer = one.fate === "answered" ? results.get(one) : undefined;
      const outcome = answer === undefined ? "unsure" : answer.refused === true ? "refused" : "ok";
      const result = outcome === "ok" ? (answer?.result ?? null) : null;
      return { what, result, client, statement, dueAt: invokedAt, invokedAt, returnedAt, outcome };
    });
}

/** The operations of a history with a read of everything by a client of its own, sent when all else has ended or came to effect. */
export function after(played: readonly { readonly returnedAt: number; readonly statement: number }[]) {
  const invokedAt = played.reduce((last, { returnedAt }) => Math.max(last, returnedAt), 0) + 100;
  const statement = played.length;
  return { client: 99, statement, dueAt: invokedAt, invokedAt, returnedAt: invokedAt + 5, outcome: "ok" } as const;
}

/** How many legal histories each judge must hold its peace about. */
export const legalRuns = 2_000;
/** Operations that each judge must take. */
export const manyOperations = 100_000;
/** For tests with that many runs. */
export const patient = { timeout: 120_000 };
/** For tests with that many operations. */
export const veryPatient = { timeout: 240_000 };
