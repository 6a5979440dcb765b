import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{src,checks,sandbox,contract,docs,test,profiles,bench}/**/*.test.ts", "*.test.ts"],
    globalSetup: ["test/build.ts"],
    reporters: process.env["CI"] === undefined ? ["default", "./test/summary.ts"] : ["dot", "./test/summary.ts"],
    // Most of what takes long waits for other processes; the default would leave all but one core idle.
    maxWorkers: 3,
    allowOnly: false,
    passWithNoTests: false,
    // Tests that wait for processes state their own, longer limits.
    testTimeout: 5_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 4_000 } },
    coverage: { provider: "v8", include: ["src/**", "checks/**", "sandbox/src/**"], exclude: ["**/*.test.ts"] },
  },
});
