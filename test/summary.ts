import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { leftUntried } from "./put-off.ts";

/**
 * The files of failed tests, one a line, for `.ci/run` to try them again when nothing else runs. Empty where that would not
 * show anything: what was put off has been tried alone already, and is known to this run only.
 */
const failedFiles = path.join(import.meta.dirname, "..", "build", "failed-tests");

/**
 * Prints the totals as the last line. A skipped test and a module that failed to load count as failed, because a test
 * that did not run has shown nothing. A test that passed only when it was tried again is named.
 */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    let passed = 0;
    let failed = unhandled.length;
    const failedIn = new Set<string>();
    for (const module of modules) {
      const before = failed;
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state, errors = [] } = test.result();
        const name = `${path.relative(process.cwd(), module.moduleId)} > ${test.fullName}`;
        if (state === "passed") passed += 1;
        else failed += 1;
        if (state === "skipped" || state === "pending") process.stdout.write(`did not run: ${name}\n`);
        else if (state === "failed") process.stdout.write(`failed: ${name}\n`);
        else if (errors.length > 0)
          process.stdout.write(`passed when tried again: ${name}: ${errors[0]?.message.split("\n")[0] ?? ""}\n`);
      }
      if (failed > before) failedIn.add(module.moduleId);
    }
    for (const name of leftUntried()) {
      failed += 1;
      process.stdout.write(`put off and not tried again (checks/proofs/put-off.test.ts did not run): ${name}\n`);
    }
    if (failed > 0) process.exitCode = 1;
    const alone = [...failedIn].some((file) => file.endsWith("put-off.test.ts")) || leftUntried().length > 0;
    mkdirSync(path.dirname(failedFiles), { recursive: true });
    writeFileSync(failedFiles, alone ? "" : [...failedIn].map((file) => `${file}\n`).join(""));
    process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  }
}
