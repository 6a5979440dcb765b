import { expect, test } from "vitest";
import { proveOnPaper } from "../../src/proof.ts";
import { loadProofs } from "../index.ts";

const proofs = await loadProofs();

test.each(proofs.map((proof) => [proof.check.id, proof] as const))(
  "%s judges written evidence as it should",
  (_, proof) => {
    expect(proveOnPaper(proof)).toEqual([]);
  },
);
