/** All categories, in the order of the report. Loaded on demand; proofs only by `prove`, `explain` and the tests. */
import type { ProvenCategory } from "../src/category.ts";
import type { Proof } from "../src/proof.ts";

const loaders: readonly (() => Promise<{ readonly category: ProvenCategory }>)[] = [
  async () => await import("./configuration/index.ts"),
  async () => await import("./durability/index.ts"),
  async () => await import("./concurrency/index.ts"),
  async () => await import("./backpressure/index.ts"),
  async () => await import("./validation/index.ts"),
  async () => await import("./observability/index.ts"),
  async () => await import("./subscriptions/index.ts"),
  async () => await import("./cli/index.ts"),
];

export async function loadCategories(): Promise<readonly ProvenCategory[]> {
  return (await Promise.all(loaders.map(async (load) => await load()))).map(({ category }) => category);
}

export async function loadProofs(): Promise<readonly Proof[]> {
  const categories = await loadCategories();
  return await Promise.all(
    categories.flatMap((category) => category.checks.map(async ({ id }) => await category.proof(id))),
  );
}

/** Throws if there is none: every check has a proof. */
export async function loadProof(id: string): Promise<Proof> {
  const category = (await loadCategories()).find(({ checks }) => checks.some((check) => check.id === id));
  if (category === undefined) throw new Error(`${id} is in no category`);
  return await category.proof(id);
}
