import type { Category } from "../../src/check.ts";

export const category: Category = {
  id: "cli",
  promise: "Scripts and people can rely on what comes back.",
  checks: [],
};
