#!/usr/bin/env node
// The sandbox in the part of an older release: the same server, on the same data folders, that tells another version.
process.env["KALAM_SANDBOX_VERSION"] = "0.4.2+sandbox";
await import("../dist/main.js");
