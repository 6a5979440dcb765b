/** Runs tests against mutants, in a thread that is replaced when a mutant never ends. */
import { Worker } from "node:worker_threads";
import type { Programs } from "./bundle.ts";
import type { Mutant } from "./find.ts";
import type { Answer, Order } from "./worker.ts";

/** An endless loop takes all of it, so it is short; tests that wait for sockets take a second. */
const mutantMs = 5_000;
/** Without a mutant, when all is still to be compiled. */
const soundMs = 120_000;

export interface Tester {
  /** Whether any test that reaches the mutant's place fails with it; `unreached` if there is none. */
  try(mutant: Mutant): Promise<"noticed" | "survived" | "unreached">;
  close(): Promise<void>;
}

/**
 * First runs the tests of these files without a mutant; throws if one fails.
 * @param file the built worker.ts
 */
export async function openTester(programs: Programs, file: string, files: ReadonlySet<string>): Promise<Tester> {
  const tests = new Map<number, string[]>();
  const took = new Map<string, number>();
  let thread = await start(programs, file);
  /** A new thread has to see the tests without a mutant before it can tell. */
  let shown = new Set<string>();

  const soundly = async (test: string): Promise<Answer> => {
    const startedAt = performance.now();
    const answer = await ask(thread, { entry: entryOf(programs, test), mutant: undefined }, soundMs);
    if (answer === undefined) throw new Error(`${test} does not end without a mutant`);
    if (answer.problem !== undefined) throw new Error(`${test} fails without a mutant: ${answer.problem}`);
    took.set(test, performance.now() - startedAt);
    shown.add(test);
    return answer;
  };
  const concerned = [...programs.files].filter(([, parts]) => [...parts].some((part) => files.has(part)));
  for (const [test] of concerned)
    for (const id of (await soundly(test)).reached) tests.set(id, [...(tests.get(id) ?? []), test]);

  const notices = async (test: string, mutant: number): Promise<boolean> => {
    if (!shown.has(test)) await soundly(test);
    const limit = mutantMs + 10 * (took.get(test) ?? 0);
    const answer = await ask(thread, { entry: entryOf(programs, test), mutant }, limit);
    if (answer !== undefined) return answer.problem !== undefined;
    await thread.terminate();
    thread = await start(programs, file);
    shown = new Set();
    return true;
  };

  return {
    async try(mutant) {
      const folder = mutant.file.slice(0, mutant.file.lastIndexOf("/"));
      // Those of its own folder know it best, and proofs take least.
      const rank = (test: string): number => (test.startsWith(`${folder}/`) ? 0 : 1e6) + (took.get(test) ?? 0);
      const reaching = (tests.get(mutant.id) ?? []).toSorted((one, other) => rank(one) - rank(other));
      for (const test of reaching) if (await notices(test, mutant.id)) return "noticed";
      return reaching.length === 0 ? "unreached" : "survived";
    },
    async close() {
      await thread.terminate();
    },
  };
}

function entryOf(programs: Programs, test: string): string {
  const entry = programs.entries.get(test);
  if (entry === undefined) throw new Error(`${test} was not built`);
  return entry;
}

async function start(programs: Programs, file: string): Promise<Worker> {
  // Rejections that nobody waits for are a mutant's doing.
  const thread = new Worker(file, { workerData: programs, execArgv: ["--unhandled-rejections=none"] });
  await new Promise((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("error", reject);
  });
  return thread;
}

/** Undefined if the thread did not answer in time, or broke. */
async function ask(thread: Worker, order: Order, withinMs: number): Promise<Answer | undefined> {
  return await new Promise((resolve) => {
    const settle = (answer: Answer | undefined): void => {
      clearTimeout(timer);
      thread.removeAllListeners("message");
      thread.removeAllListeners("error");
      resolve(answer);
    };
    const timer = setTimeout(() => settle(undefined), withinMs);
    thread.once("message", settle);
    thread.once("error", () => settle(undefined));
    thread.postMessage(order, []);
  });
}
