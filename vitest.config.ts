import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{src,checks,sandbox,contract,docs,test,profiles,bench}/**/*.test.ts", "*.test.ts"],
    globalSetup: ["test/build.ts"],
    reporters: process.env["CI"] === undefined ? ["default", "./test/summary.ts"] : ["dot", "./test/summary.ts"],
    allowOnly: false,
    passWithNoTests: false,
    // Generous, because the machine may be busy; a fast test does not wait for them.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    coverage: { provider: "v8", include: ["src/**", "checks/**", "sandbox/src/**"], exclude: ["**/*.test.ts"] },
  },
});
