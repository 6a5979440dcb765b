import type { Reporter, TestModule } from "vitest/node";

/**
 * Prints the totals as the last line. A skipped test and a module that failed to load count as failed, because a test
 * that did not run has shown nothing.
 */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        if (test.result().state === "passed") passed += 1;
        else {
          failed += 1;
          if (test.result().state !== "failed")
            process.stdout.write(`did not run: ${module.moduleId} ${test.fullName}\n`);
        }
      }
    }
    if (failed > 0) process.exitCode = 1;
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  }
}
