import type { Reporter, TestModule } from "vitest/node";
import { leftUntried } from "./put-off.ts";

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
    for (const name of leftUntried()) {
      failed += 1;
      process.stdout.write(`put off and not tried again (checks/proofs/put-off.test.ts did not run): ${name}\n`);
    }
    if (failed > 0) process.exitCode = 1;
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  }
}
