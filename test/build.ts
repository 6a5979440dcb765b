import { execFileSync } from "node:child_process";

/** Tests that start the command line or the sandbox run the built files, as `bin/` does, so build them first. */
export default function build(): void {
  execFileSync("npx", ["rolldown", "-c", "--logLevel", "warn"], { stdio: ["ignore", "ignore", "inherit"] });
}
