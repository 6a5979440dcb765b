#!/usr/bin/env node
import { writeSync } from "node:fs";

// Until there is a verdict, the exit code is 70: after an uncaught error Node would exit with 1, and 1 means "not ready".
process.exitCode = 70;
process.on("uncaughtException", (error) => {
  writeSync(
    2,
    `kalam-ready: internal error, please report it: ${error?.stack ?? error}\nkalam-ready cleanup removes what this run left on the server\n`,
  );
  process.exit(70);
});

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  writeSync(2, `kalam-ready: Node ${process.versions.node} is too old; 20.19 or newer is required\n`);
} else {
  const { main } = await import("../dist/cli.js");
  await main(process.argv.slice(2), process.env);
}
