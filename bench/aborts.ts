/**
 * `npm run bench -- aborts`: ends runs at random moments by each signal and by an internal error, and looks for what they left on
 * the server and in the state folder. The moments follow from the seed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { startSandbox } from "../src/commands/sandbox.ts";
import type { OwnServer } from "../src/control/process.ts";
import { packageFolder } from "../src/package.ts";
import { randomFrom } from "../src/session/random.ts";
import { leftOn } from "../test/sandbox.ts";
import { print } from "./print.ts";

const bin = path.join(packageFolder, "bin", "kalam-ready.js");
const abortsOfEach = 30;
const atOnce = 2;
const words = [
  "check",
  "--effort",
  "light",
  "--only",
  "configuration",
  "--only",
  "subscriptions/snapshot-then-changes",
];
/** A module that Node loads first: the way to make a defect. */
const defect = `process.on("SIGWINCH", () => {
  // Before the program has begun, the error would be none of its own.
  if (process.listenerCount("uncaughtException") > 0) throw new Error("an internal error, made by the bench");
})`;
const ways = { SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGHUP", "an internal error": "SIGWINCH" } as const;

interface Place {
  readonly server: OwnServer;
  readonly state: string;
}

/** Sets the process's exit code to 1 if anything was left. */
export async function measureAborts(seed = 1): Promise<void> {
  const server = await startSandbox();
  const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-aborts-"));
  try {
    const place = { server, state: path.join(folder, "state") };
    const whole = await abortedAt(place, "SIGWINCH", Infinity);
    print("a whole run", `${whole.tookMs.toFixed(0)} ms, ${whole.end}`, "");
    for (const [way, signal] of Object.entries(ways)) {
      const random = randomFrom(`aborts ${seed} ${way}`);
      const moments = Array.from({ length: abortsOfEach }, () => random() * whole.tookMs);
      const ends = new Map<string, number>();
      const afterMs: number[] = [];
      const waiting = [...moments];
      const worker = async (): Promise<void> => {
        for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
          const { end, tookMs } = await abortedAt(place, signal, at);
          ends.set(end, (ends.get(end) ?? 0) + 1);
          afterMs.push(Math.max(0, tookMs - at));
        }
      };
      await Promise.all(Array.from({ length: atOnce }, worker));
      const names = await leftOn(server, path.join(folder, "look"));
      const ledgers = readdirSync(place.state);
      if (names.length + ledgers.length > 0) process.exitCode = 1;
      print(
        `${moments.length} × ${way}`,
        `${[...ends].map(([end, count]) => `${count} × ${end}`).join(", ")}; over ${Math.max(...afterMs).toFixed(0)} ms after it at most; left: ${names.length} names, ${ledgers.length} ledgers`,
        "goal: 0, 0",
      );
      for (const name of [...names, ...ledgers]) print("", name, "");
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A run with this signal so long after its start, if it is not over by then. */
async function abortedAt(
  { server, state }: Place,
  signal: NodeJS.Signals,
  atMs: number,
): Promise<{ readonly end: string; readonly tookMs: number }> {
  const startedAt = performance.now();
  return await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...words], {
      stdio: "ignore",
      env: {
        PATH: process.env["PATH"] ?? "",
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(defect)}`,
        KALAM_READY_URL: server.url,
        KALAM_READY_USER: "root",
        KALAM_READY_PASSWORD: server.rootPassword,
        KALAM_READY_STATE: state,
      },
    });
    const timer = atMs === Infinity ? undefined : setTimeout(() => child.kill(signal), atMs);
    child.on("error", reject);
    child.on("close", (code, by) => {
      clearTimeout(timer);
      resolve({ end: by ?? `exit ${code}`, tookMs: performance.now() - startedAt });
    });
  });
}
