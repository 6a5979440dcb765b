/** Control of a server that somebody else runs, by commands: those of the profile, or docker's. */
import { spawn } from "node:child_process";
import { truncated } from "../formats/printable.ts";
import { sleep } from "../session/pacing.ts";
import { ControlError, type Lifecycle, type Started } from "../wire/control.ts";
import type { Wire } from "../wire/wire.ts";
import { isAnswering, waitUntilReady } from "./readiness.ts";

/** A program and its arguments; no shell reads them. */
export type Words = readonly [string, ...string[]];

export interface Commands {
  readonly kill: Words;
  /** Asks the server to end. Absent: checks that need it cannot run. */
  readonly stop?: Words;
  readonly start: Words;
}

const commandWithinMs = 30_000;
const goneWithinMs = 10_000;
const keptOutput = 2_000;
const pollEveryMs = 20;

/** The commands' own settings, such as KUBECONFIG and DOCKER_HOST, and none of ours: a password must not reach them. */
function environmentOfCommands(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("KALAM")));
}

/** Its stdout, once it has exited with 0. Throws ControlError, with its output. */
export async function runCommand(words: Words, withinMs: number = commandWithinMs): Promise<string> {
  const [program, ...args] = words;
  // A group of its own: Ctrl-C in a terminal must not end the command that starts the server again.
  const child = spawn(program, args, {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: environmentOfCommands(),
  });
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] = truncated(output[stream] + text, keptOutput);
    });
  }
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }, withinMs);
  const how = await new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  clearTimeout(timer);
  if (how === "exit code 0") return output.stdout;
  const why = overdue ? `no end within ${withinMs / 1000} s` : how;
  const said = [output.stderr, output.stdout].map((text) => text.trim()).filter((text) => text !== "");
  throw new ControlError(`${words.join(" ")}: ${[why, ...said].join(": ")}`);
}

/** Whether the server stopped answering within that time. One whose supervisor is quick may never be seen to. */
export async function stopsAnswering(exchange: Wire["exchange"], withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (performance.now() < until) {
    if (!(await isAnswering(exchange))) return true;
    await sleep(pollEveryMs);
  }
  return false;
}

export function commandLifecycle(commands: Commands, exchange: Wire["exchange"]): Omit<Lifecycle, "revive" | "isLeft"> {
  const { kill, stop, start } = commands;
  return {
    how: { kill: kill.join(" "), stop: stop?.join(" ") ?? "nothing" },
    processId: async () => await Promise.resolve(undefined),
    async kill() {
      await runCommand(kill);
      await stopsAnswering(exchange, goneWithinMs);
    },
    async stop({ signal, withinMs }) {
      if (stop === undefined) throw new ControlError("control.command of the profile has no stop", { untried: true });
      if (signal === "SIGINT")
        throw new ControlError("control.command of the profile cannot send SIGINT", { untried: true });
      const askedAt = performance.now();
      await runCommand(stop, withinMs + commandWithinMs);
      const stopped = await stopsAnswering(exchange, Math.max(goneWithinMs, withinMs));
      return { stopped, exitCode: null, tookMs: Math.round(performance.now() - askedAt) };
    },
    async start(withinMs): Promise<Started> {
      const startedAt = performance.now();
      await runCommand(start, withinMs);
      return await waitUntilReady({ exchange, startedAt, withinMs, isOver: () => undefined });
    },
  };
}
