import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { packageFolder } from "../src/package.ts";

/** Runs of the command line, on a machine that may be busy. */
vi.setConfig({ testTimeout: 30_000 });

/** For tests that wait for processes, on a busy machine. */
const busy = { timeout: 30_000 };

/** The package as npm installs it: its `files` and its dependencies, without the sandbox. */
const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-installed-"));

beforeAll(() => {
  const manifest = JSON.parse(readFileSync(path.join(packageFolder, "package.json"), "utf8")) as {
    readonly files: readonly string[];
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const file of ["package.json", ...manifest.files])
    cpSync(path.join(packageFolder, file), path.join(folder, file), { recursive: true });
  mkdirSync(path.join(folder, "node_modules"));
  for (const name of Object.keys(manifest.dependencies))
    symlinkSync(path.join(packageFolder, "node_modules", name), path.join(folder, "node_modules", name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function installed(...args: string[]): Promise<{ code: number; stderr: string }> {
  return await new Promise((resolve) => {
    execFile(process.execPath, [path.join(folder, "bin", "kalam-ready.js"), ...args], (error, _, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stderr }),
    );
  });
}

test("list works without the sandbox", busy, async () => {
  expect((await installed("list")).code).toBe(0);
});

test.for(["demo", "sandbox", "prove"])("%s without the sandbox names what installs it", busy, async (command) => {
  const { version } = JSON.parse(readFileSync(path.join(packageFolder, "sandbox", "package.json"), "utf8")) as {
    readonly version: string;
  };
  const { code, stderr } = await installed(command);
  expect(code).toBe(64);
  expect(stderr).toContain(`npm install kalam-ready-sandbox@${version}`);
});
