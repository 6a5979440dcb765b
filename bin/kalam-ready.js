#!/usr/bin/env node
// No syntax that Node 12 cannot read: an old Node must get as far as the sentence that says so. CommonJS, as `dist/` is and
// as package.json in this folder says.
// Node's modules are loaded where they are used: a start that succeeds needs none of them here.

// Until there is a verdict, the exit code is 70: after an uncaught error Node would exit with 1, and 1 means "not ready".
process.exitCode = 70;
/** @type {(error: unknown) => boolean} */
let internalError = (error) => {
  complain(`internal error, please report it: ${error instanceof Error ? error.stack : String(error)}`);
  return false;
};
process.on("uncaughtException", (error) => {
  // True: it cleans up first.
  if (!internalError(error)) process.exit(70);
});

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  didNotStart(`Node ${process.versions.node} is too old; 20.19 or newer is required`);
} else {
  /** @type {typeof import("../src/cli.ts") | undefined} */
  let cli;
  try {
    cli = require("../dist/cli.cjs");
  } catch (error) {
    didNotStart(
      error.code === "MODULE_NOT_FOUND"
        ? `the program is incomplete: ${error.message.split("\n")[0]}; install it again, or run npm run build in a checkout`
        : `internal error, please report it: ${error.stack}`,
    );
  }
  if (cli !== undefined) {
    internalError = cli.internalError;
    void cli.main(process.argv.slice(2), process.env);
  }
}

/** @param {string} text */
function complain(text) {
  try {
    const { writeSync } = require("fs");
    writeSync(2, `kalam-ready: ${text}\n`);
  } catch {
    // stderr is closed or full: the exit code is all that is left.
  }
}

/**
 * Says why, on stderr and in the reports that the arguments name, as far as they can be found without the program: a pipeline
 * would otherwise read the green report of an earlier run.
 * @param {string} why
 */
function didNotStart(why) {
  complain(why);
  const words = process.argv.slice(2);
  if (!words.includes("check")) return;
  const message = why.replace(/[^\n -~]/g, "?");
  const json = { schemaVersion: 1, verdict: "INTERNAL", exit: 70, error: { code: "didNotStart", message } };
  const inXml = message.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;");
  /** @type {Record<string, string>} */
  const documents = {
    json: `${JSON.stringify(json, undefined, 2)}\n`,
    junit: `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="kalam-ready" tests="1" failures="0" errors="1" skipped="0" time="0">
  <testsuite name="run" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="run" name="run/verdict" time="0">
      <error message="INTERNAL, exit 70" type="verdict">${inXml}</error>
    </testcase>
  </testsuite>
</testsuites>
`,
    table: `INTERNAL\nbecause ${message}\nexit 70\n`,
  };
  words.forEach((word, at) => {
    const report = word === "--report" ? words[at + 1] || "" : word.startsWith("--report=") ? word.slice(9) : "";
    const [format = "", ...rest] = report.split("=");
    const file = rest.join("=");
    const text = documents[format];
    if (file !== "" && text !== undefined) replace(file, text);
  });
  if (words.includes("--json")) require("fs").writeSync(1, documents.json);
}

/**
 * @param {string} file
 * @param {string} text
 */
function replace(file, text) {
  try {
    const { existsSync, renameSync, statSync, writeFileSync } = require("fs");
    if (existsSync(file) && !statSync(file).isFile()) return;
    writeFileSync(`${file}.${process.pid}.part`, text);
    renameSync(`${file}.${process.pid}.part`, file);
  } catch {
    complain(`cannot write ${file}`);
  }
}
