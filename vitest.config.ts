import { defineConfig } from "vitest/config";

/** Runs when nothing else does. */
const last = "checks/proofs/put-off.test.ts";

export default defineConfig({
  test: {
    globalSetup: ["test/build.ts"],
    reporters: process.env["CI"] === undefined ? ["default", "./test/summary.ts"] : ["dot", "./test/summary.ts"],
    allowOnly: false,
    passWithNoTests: false,
    coverage: { provider: "v8", include: ["src/**", "checks/**", "sandbox/src/**"], exclude: ["**/*.test.ts"] },
    projects: [
      {
        test: {
          ...common(),
          name: "tests",
          include: ["{src,checks,sandbox,contract,docs,test,profiles,bench}/**/*.test.ts", "*.test.ts"],
          exclude: ["**/node_modules/**", last],
          // Most of what takes long waits for other processes; the default would leave all but one core idle.
          maxWorkers: Number(process.env["TESTS_WORKERS"] ?? 3),
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...common(), name: "put off", include: [last], maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});

function common() {
  return {
    // Tests that wait for processes state their own, longer limits.
    testTimeout: 20_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 4_000 } },
    // On a machine that is busy with other tests; test/summary.ts names those that needed it.
    retry: 1,
  };
}
