#!/usr/bin/env node
import { writeSync } from "node:fs";

// Until there is a verdict, the exit code is 70: after an uncaught error Node would exit with 1, and 1 means "not ready".
process.exitCode = 70;
/** @type {(error: unknown) => boolean} */
let internalError = (error) => {
  try {
    writeSync(
      2,
      `kalam-ready: internal error, please report it: ${error instanceof Error ? error.stack : String(error)}\n`,
    );
  } catch {
    // stderr is closed or full: the exit code is all that is left.
  }
  return false;
};
process.on("uncaughtException", (error) => {
  // True: it cleans up first.
  if (!internalError(error)) process.exit(70);
});

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  writeSync(2, `kalam-ready: Node ${process.versions.node} is too old; 20.19 or newer is required\n`);
} else {
  const cli = await import("../dist/cli.js");
  internalError = cli.internalError;
  await cli.main(process.argv.slice(2), process.env);
}
