import { execFileSync } from "node:child_process";
import { openList } from "./put-off.ts";

/** Tests that start the command line or the sandbox run the built files, as `bin/` does, so build them first. */
export default function setUp(): () => void {
  execFileSync("npx", ["rolldown", "-c", "--logLevel", "warn"], { stdio: ["ignore", "ignore", "inherit"] });
  return openList();
}
