import type { Category } from "../../src/check.ts";
import { ownRowsOnly } from "./own-rows-only.ts";

export const category: Category = {
  id: "validation",
  promise: "What is wrong is refused, clearly and completely.",
  checks: [ownRowsOnly],
};
