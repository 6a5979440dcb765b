/** Every category, in the order of the report. Each is loaded only when its checks are needed; the proofs only to prove. */
import type { Category } from "../src/check.ts";
import type { Proof } from "../src/proof.ts";

const loaders: readonly (() => Promise<{ readonly category: Category }>)[] = [
  async () => await import("./configuration/index.ts"),
  async () => await import("./validation/index.ts"),
  async () => await import("./observability/index.ts"),
  async () => await import("./subscriptions/index.ts"),
  async () => await import("./cli/index.ts"),
];

const proofs: readonly (() => Promise<{ readonly proofs: readonly Proof[] }>)[] = [
  async () => await import("./configuration/proofs.ts"),
  async () => await import("./validation/proofs.ts"),
  async () => await import("./observability/proofs.ts"),
  async () => await import("./subscriptions/proofs.ts"),
  async () => await import("./cli/proofs.ts"),
];

export async function loadCategories(): Promise<readonly Category[]> {
  return (await Promise.all(loaders.map(async (load) => await load()))).map(({ category }) => category);
}

export async function loadProofs(): Promise<readonly Proof[]> {
  return (await Promise.all(proofs.map(async (load) => await load()))).flatMap((one) => one.proofs);
}

/** Throws where there is none: a check without a proof is a defect. */
export async function loadProof(id: string): Promise<Proof> {
  const proof = (await loadProofs()).find(({ check }) => check.id === id);
  if (proof === undefined) throw new Error(`${id} has no proof`);
  return proof;
}
