/** A stand-in for docker with one container, whose server is a process of this machine. */
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { sleep } from "../session/pacing.ts";

const script = `#!/usr/bin/env node
const { spawn } = require("node:child_process");
const { existsSync, readFileSync, writeFileSync, appendFileSync } = require("node:fs");
const state = JSON.parse(readFileSync(__dirname + "/state.json", "utf8"));
const [what, ...rest] = process.argv.slice(2);
const name = rest.at(-1);
appendFileSync(__dirname + "/asked.txt", [what, ...rest].join(" ") + "\\n");
const read = (file) => (existsSync(__dirname + "/" + file) ? readFileSync(__dirname + "/" + file, "utf8") : "");
const pid = Number(read("pid"));
const isRunning = pid > 0 && read("exit") === "";
const fail = (text) => { console.error("Error response from daemon: " + text); process.exit(1); };
if (process.env.KALAM_READY_PASSWORD !== undefined) fail("a secret of kalam-ready reached docker");
if (name !== state.name) fail("No such container: " + name);
if (what === "wrap") {
  const server = spawn(state.command[0], state.command.slice(1), { env: { ...process.env, ...state.environment }, stdio: "ignore" });
  writeFileSync(__dirname + "/pid", String(server.pid));
  server.on("exit", (code) => writeFileSync(__dirname + "/exit", String(code ?? 137)));
} else if (what === "inspect") {
  console.log([isRunning ? pid : 0, read("started") || "0001-01-01T00:00:00Z", isRunning, read("exit") || 0, state.policy].join(" "));
} else if (what === "start") {
  // As docker does, which knows of the end before it starts anything: the wrapper of the one before must have noted it.
  for (let tries = 0; pid > 0 && read("exit") === "" && tries < 400; tries += 1)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 25);
  writeFileSync(__dirname + "/exit", "");
  writeFileSync(__dirname + "/started", new Date().toISOString());
  spawn(process.execPath, [__filename, "wrap", name], { detached: true, stdio: "ignore" }).unref();
} else {
  if (!isRunning) fail("Container " + name + " is not running");
  const signal = { pause: "SIGSTOP", unpause: "SIGCONT" }[what] ?? (rest[0] === "--signal" ? rest[1] : "SIGKILL");
  process.kill(pid, signal);
}
`;

export interface Docker {
  /** To be put in front of PATH. */
  readonly folder: string;
  readonly program: string;
  /** The commands so far. */
  asked(): string[];
  /** Ends the server and removes the folder. */
  remove(): Promise<void>;
}

export function standInDocker(
  folder: string,
  container: {
    readonly name: string;
    readonly command: readonly string[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly policy?: string;
  },
): Docker {
  mkdirSync(folder, { recursive: true });
  const program = path.join(folder, "docker");
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  writeFileSync(path.join(folder, "state.json"), JSON.stringify({ policy: "no", environment: {}, ...container }));
  const read = (file: string): string => {
    try {
      return readFileSync(path.join(folder, file), "utf8");
    } catch {
      return "";
    }
  };
  return {
    folder,
    program,
    asked: () =>
      read("asked.txt")
        .split("\n")
        .filter((line) => line !== ""),
    async remove() {
      const pid = Number(read("pid"));
      // The wrapper notes its end.
      for (let tries = 0; pid > 0 && read("exit") === "" && tries < 200; tries += 1) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has ended already.
        }
        await sleep(50);
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
