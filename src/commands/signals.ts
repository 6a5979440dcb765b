/**
 * Every way out of a run: the first signal and an internal error end it and clean up; a second signal ends the process at
 * once.
 */
import { setMaxListeners } from "node:events";
import { UserError } from "../user-error.ts";
import type { Ended, ExitName } from "../exit.ts";
import { lastWords } from "./output.ts";

export interface Signals {
  /** Aborted by the first signal, or by an internal error. */
  readonly signal: AbortSignal;
  /** How the run ended, once it was interrupted. */
  ended(): Ended | undefined;
  /** Hands the signals back to Node. */
  release(): void;
}

export interface SignalOptions {
  readonly first: () => void;
  /** What to print if the clean-up is not waited for. */
  readonly leaving: () => string;
}

/** Signals that end a process, can be caught, and are sent to it by people, terminals, supervisors or batch systems. */
const ways = {
  SIGINT: { exit: "interrupted", sentence: "interrupted by Ctrl-C" },
  SIGTERM: { exit: "terminated", sentence: "terminated by SIGTERM" },
  SIGHUP: { exit: "hungUp", sentence: "the terminal or connection was closed (SIGHUP)" },
  SIGQUIT: { exit: "quit", sentence: "quit by Ctrl-\\ (SIGQUIT)" },
  SIGUSR2: { exit: "terminated", sentence: "terminated by SIGUSR2" },
  SIGALRM: { exit: "terminated", sentence: "terminated by SIGALRM" },
  SIGXCPU: { exit: "terminated", sentence: "terminated by SIGXCPU" },
} as const satisfies Readonly<Partial<Record<NodeJS.Signals, Ended>>>;
type Caught = keyof typeof ways;
const caught = Object.keys(ways) as Caught[];

/** One keypress may arrive twice: from the terminal, and passed on by npm, a shell or a container's init. */
const sameKeypressMs = 1_000;
/** After an internal error the clean-up may never end. */
const crashCleanUpMs = 60_000;

interface Work extends SignalOptions {
  end(how: Ended): void;
}

/** What is in progress, the innermost last: a demo runs checks. */
const working: Work[] = [];
let firstAt: number | undefined;
let crashed = false;
let gaveUp = false;

export function handleSignals(options: SignalOptions): Signals {
  const controller = new AbortController();
  // Everything that runs listens to it; a dozen listeners are no leak.
  setMaxListeners(0, controller.signal);
  let ended: Ended | undefined;
  const work: Work = {
    ...options,
    end(how) {
      ended = how;
      controller.abort(how.sentence);
    },
  };
  if (working.length === 0) {
    for (const name of caught) process.on(name, onSignal);
    process.on("exit", onExit);
  }
  working.push(work);
  return { signal: controller.signal, ended: () => ended, release: () => release(work) };
}

/** Does the work of a command under signals. If one ends it, the exit is the signal's. */
export async function interruptible(
  options: SignalOptions,
  act: (signals: Signals) => Promise<ExitName>,
): Promise<ExitName> {
  const signals = handleSignals(options);
  try {
    const exit = await act(signals);
    return signals.ended()?.exit ?? exit;
  } catch (error) {
    const ended = signals.ended();
    if (ended === undefined || !(error instanceof UserError) || error.exit === "cannotWrite") throw error;
    return ended.exit;
  } finally {
    signals.release();
  }
}

/**
 * Reports an error that nothing caught. If there is something to clean up, it ends the work in progress like a signal and
 * returns true; otherwise the process is to end.
 */
export function internalError(error: unknown): boolean {
  if (!crashed) {
    lastWords(
      `internal error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
  }
  if (working.length === 0 || gaveUp) return false;
  if (crashed) return true;
  crashed = true;
  const what = error instanceof Error ? error.message : String(error);
  endAll({ exit: "internal", sentence: `internal error: ${what}` });
  setTimeout(() => {
    gaveUp = true;
    throw new Error("the clean-up did not end");
  }, crashCleanUpMs).unref();
  return true;
}

/** Whether an error was reported that nothing caught: no verdict counts after that. */
export function hasCrashed(): boolean {
  return crashed;
}

function onSignal(name: NodeJS.Signals): void {
  const now = performance.now();
  if (firstAt === undefined) {
    firstAt = now;
    endAll(ways[name as Caught]);
    return;
  }
  if (now - firstAt < sameKeypressMs) return;
  lastWords(working.at(-1)?.leaving() ?? "left");
  for (const work of working.splice(0)) release(work);
  // The signal ends the process without this event, on which servers of ours are stopped.
  process.emit("exit", 128);
  // The default action of the signal, so that the shell sees how the process ended.
  process.kill(process.pid, name);
}

function endAll(how: Ended): void {
  for (const work of working) work.end(how);
  working.at(-1)?.first();
}

/** The process ends, and the work was neither done nor cleaned up. */
function onExit(): void {
  const [work] = working;
  if (work !== undefined) lastWords(work.leaving());
}

function release(work: Work): void {
  const at = working.indexOf(work);
  if (at !== -1) working.splice(at, 1);
  if (working.length > 0) return;
  for (const name of caught) process.off(name, onSignal);
  process.off("exit", onExit);
}
