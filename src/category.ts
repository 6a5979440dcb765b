/** The list of a category: each check with its proof beside it, loaded only to prove. */
import type { Category, Check } from "./check.ts";
import type { Proof } from "./proof.ts";

interface Listed {
  readonly check: Check;
  readonly proof: () => Promise<{ readonly default: Proof }>;
}

export interface ProvenCategory extends Category {
  /** Throws for a check of another category: a check without a proof is a defect. */
  proof(id: string): Promise<Proof>;
}

/** A category from its one list, in the order of the report. */
export function listChecks(list: {
  readonly id: string;
  readonly promise: string;
  readonly checks: readonly Listed[];
}): ProvenCategory {
  return {
    id: list.id,
    promise: list.promise,
    checks: list.checks.map(({ check }) => check),
    async proof(id) {
      const listed = list.checks.find(({ check }) => check.id === id);
      if (listed === undefined) throw new Error(`${id} has no proof`);
      return (await listed.proof()).default;
    },
  };
}
