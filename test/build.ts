import { execFileSync } from "node:child_process";

/** Tests that start the command line or the sandbox run what `bin/` runs: the built files, so build them first. */
export default function build(): void {
  execFileSync("npx", ["rolldown", "-c", "--logLevel", "warn"], { stdio: ["ignore", "ignore", "inherit"] });
}
