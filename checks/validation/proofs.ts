import type { Proof } from "../../src/proof.ts";
import ownRowsOnly from "./own-rows-only.proof.ts";

export const proofs: readonly Proof[] = [ownRowsOnly];
