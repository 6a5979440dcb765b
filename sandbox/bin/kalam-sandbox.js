#!/usr/bin/env node
// The sandbox as a process of its own, started and stopped like a server: `kalam-sandbox.js [settings.toml]`.
import "../dist/main.js";
