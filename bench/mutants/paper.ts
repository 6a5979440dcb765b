/** A proof without a server: what on-paper.test.ts demands of it, and the example sentences that docs/checks.md holds it to. */
import { conclusions, examples, proveOnPaper, type Proof } from "../../src/proof.ts";

declare global {
  /** The sentences of each proof without a mutant, by check; kept by the process across evaluations. */
  var $examples: Map<string, string> | undefined;
}

/** The first problem, or undefined. The first call for a check must be without a mutant. */
export function runProof(proof: Proof): string | undefined {
  const [problem] = proveOnPaper(proof);
  if (problem !== undefined) return problem;
  const known = (globalThis.$examples ??= new Map());
  const sentences = JSON.stringify([examples(proof), conclusions(proof)]);
  const right = known.get(proof.check.id) ?? sentences;
  known.set(proof.check.id, right);
  return right === sentences ? undefined : `${proof.check.id}: the examples are now ${sentences}`;
}
