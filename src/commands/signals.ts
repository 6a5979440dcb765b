/** Ctrl-C and SIGTERM: the first ends the run and cleans up, the second ends the process at once. */
import type { Ended } from "../exit.ts";

export interface Signals {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** How the run ended, once it was interrupted. */
  ended(): Ended | undefined;
  /** Hands the signals back to Node. */
  release(): void;
}

/** `leaving` is what to print if the clean-up is not waited for. */
export function handleSignals(options: { first: () => void; leaving: () => string }): Signals {
  const controller = new AbortController();
  let ended: Ended | undefined;
  const handle = (name: "SIGINT" | "SIGTERM"): void => {
    if (ended !== undefined) {
      process.stderr.write(`\n${options.leaving()}\n`);
      release();
      // The default action of the signal, so that the shell sees how the process ended.
      process.kill(process.pid, name);
      return;
    }
    const how = name === "SIGINT" ? "interrupted by Ctrl-C" : "terminated by SIGTERM";
    ended = { exit: name === "SIGINT" ? "interrupted" : "terminated", sentence: how };
    controller.abort(how);
    options.first();
  };
  const onInt = (): void => handle("SIGINT");
  const onTerm = (): void => handle("SIGTERM");
  process.on("SIGINT", onInt);
  process.on("SIGTERM", onTerm);
  function release(): void {
    process.off("SIGINT", onInt);
    process.off("SIGTERM", onTerm);
  }
  return { signal: controller.signal, ended: () => ended, release };
}
