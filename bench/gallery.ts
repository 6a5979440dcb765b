/**
 * `npm run measure:gallery [-- tries]`: tries each fault of the gallery on the sandbox, several times, and writes
 * docs/gallery.json, which PROOFS.md prints. Then `npm run format` and `npm run generate`.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Measured } from "../docs/proofs-page.ts";
import type { Tried } from "../src/faults/gallery-run.ts";
import { packageFolder, packageVersion } from "../src/package.ts";

const bin = path.join(packageFolder, "bin", "kalam-ready.js");
const effort = "light";
const tries = Number(process.argv[2] ?? 3);

type Faults = Record<string, { tries: number; found: number; findings: readonly string[] }>;
const faults: Faults = {};
for (let n = 1; n <= tries; n += 1) {
  for (const { fault, kind, findings } of tryAll()) {
    const before = faults[fault] ?? { tries: 0, found: 0, findings: [] };
    faults[fault] = {
      tries: before.tries + 1,
      found: before.found + (kind === "found" ? 1 : 0),
      findings: [...new Set([...before.findings, ...findings])].toSorted(),
    };
  }
  process.stdout.write(`${n} of ${tries} tries\n`);
}
const measured: Measured = {
  date: new Date().toISOString().slice(0, 10),
  versions: {
    "kalam-ready": packageVersion,
    node: process.version.slice(1),
    server: "its sandbox",
  },
  effort,
  faults,
};
writeFileSync(path.join(packageFolder, "docs", "gallery.json"), `${JSON.stringify(measured, undefined, 2)}\n`);

function tryAll(): readonly Tried[] {
  const args = [bin, "prove", "--gallery", "--quick", "--json", "--effort", effort];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
    // Nothing of the user's own settings: it is measured on the sandbox.
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" },
  });
  if (status === null || status > 2) throw new Error(`prove --gallery ended with ${status ?? "a signal"}: ${stderr}`);
  return JSON.parse(stdout) as readonly Tried[];
}
