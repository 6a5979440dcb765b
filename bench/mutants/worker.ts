/** A thread that evaluates tests with one mutant in effect at a time. It is ended from outside if it does not answer. */
import fc, { configureGlobal, type IRawProperty, type Parameters } from "fast-check";
import { Script } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import type { Programs } from "./bundle.ts";

export interface Order {
  readonly entry: string;
  /** Undefined: none; what the tests reach is counted instead. */
  readonly mutant: number | undefined;
}

export interface Answer {
  /** The first test that failed and why; undefined if all passed. */
  readonly problem: string | undefined;
  /** The mutants whose places were evaluated; only without a mutant. */
  readonly reached: readonly number[];
}

type Factory = (require: (name: string) => unknown, exports: object, module: { exports: object }) => void;

const programs = workerData as Programs;
const packages = new Map<string, unknown>();
const factories = new Map<string, Factory>();
let active: number | undefined;
const runsMax = 100;
/** By number, 1 where it was evaluated. Not a set: this is done millions of times. */
const reached = new Uint8Array(programs.mutants);

// Modules that listen to the process do so in each evaluation.
process.setMaxListeners(0);
// Else a mutant that a rare value shows would survive one day and not the next.
configureGlobal({ seed: 1 });
Object.assign(globalThis, {
  $mutant: (id: number): boolean => {
    reached[id] = 1;
    return id === active;
  },
  $outside: (name: string) => packages.get(name),
});

for (const name of programs.packages) packages.set(name, await import(name));
packages.set("fast-check", { ...fc, assert: assertFew, default: { ...fc, assert: assertFew } });
const reply = (message: Answer | "ready"): void => parentPort?.postMessage(message, []);
parentPort?.on("message", (order: Order) => {
  void answer(order).then(reply);
});
reply("ready");

/** Thousands of runs, as for what must never raise a false alarm, would take minutes for each mutant. */
function assertFew<Values>(property: IRawProperty<Values>, parameters: Parameters<Values> = {}): unknown {
  return fc.assert(property, { ...parameters, numRuns: Math.min(parameters.numRuns ?? runsMax, runsMax) });
}

async function answer({ entry, mutant }: Order): Promise<Answer> {
  active = mutant;
  reached.fill(0);
  const problem = await evaluate(entry);
  return { problem, reached: mutant === undefined ? [...reached.keys()].filter((id) => reached[id] === 1) : [] };
}

async function evaluate(entry: string): Promise<string | undefined> {
  const loaded = new Map<string, { exports: object }>();
  const load = (name: string): object => {
    const known = loaded.get(name);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    loaded.set(name, module);
    factoryOf(name)((other) => load(other.replace(/^\.\//, "")), module.exports, module);
    return module.exports;
  };
  try {
    return await (load(entry) as { run(): Promise<string | undefined> }).run();
  } catch (error) {
    return String(error);
  }
}

function factoryOf(chunk: string): Factory {
  const known = factories.get(chunk);
  if (known !== undefined) return known;
  const code = programs.chunks.get(chunk);
  if (code === undefined) throw new Error(`there is no chunk ${chunk}`);
  const script = new Script(`(function (require, exports, module) {${code}\n})`, { filename: chunk });
  const factory = script.runInThisContext() as Factory;
  factories.set(chunk, factory);
  return factory;
}
