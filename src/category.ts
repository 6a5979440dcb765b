/** The checks of a category, each with its proof, which is loaded only by `prove` and the tests. */
import type { Category, Check } from "./check.ts";
import type { Proof } from "./proof.ts";

interface Entry {
  readonly check: Check;
  readonly proof: () => Promise<{ readonly default: Proof }>;
}

export interface ProvenCategory extends Category {
  /** Throws for a check that is not in this category: every check has a proof. */
  proof(id: string): Promise<Proof>;
}

/** Makes a category from its list of checks, in the order of the report. */
export function listChecks(list: {
  readonly id: string;
  readonly promise: string;
  readonly checks: readonly Entry[];
}): ProvenCategory {
  return {
    id: list.id,
    promise: list.promise,
    checks: list.checks.map(({ check }) => check),
    async proof(id) {
      const entry = list.checks.find(({ check }) => check.id === id);
      if (entry === undefined) throw new Error(`${id} has no proof`);
      return (await entry.proof()).default;
    },
  };
}
