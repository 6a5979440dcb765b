#!/usr/bin/env node
import { writeSync } from "node:fs";

// Whatever goes wrong from here on was no verdict: only one may lower this. Node itself would end with 1 after an
// error that nobody caught, and 1 means "not ready".
process.exitCode = 70;
process.on("uncaughtException", (error) => {
  writeSync(
    2,
    `kalam-ready: a defect of kalam-ready, please report it: ${error?.stack ?? error}\nkalam-ready cleanup finds what this run has left on the server\n`,
  );
  process.exit(70);
});

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  writeSync(2, `kalam-ready: Node ${process.versions.node} is too old; it needs 20.19 or newer\n`);
} else {
  const { main } = await import("../dist/cli.js");
  await main(process.argv.slice(2), process.env);
}
