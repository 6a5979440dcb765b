import type { Proof } from "../../src/proof.ts";

export const proofs: readonly Proof[] = [];
