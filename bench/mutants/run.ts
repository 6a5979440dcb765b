/**
 * `npm run mutants [-- <folder or file> …]`: makes each place that decides wrong in each way of kinds.ts, and runs the tests
 * that reach it. A mutant that they do not notice must be in survivors.json with its reason.
 * Exits with 1 if one is not, or if the list names one that is noticed or is none.
 */
import path from "node:path";
import { packageFolder } from "../../src/package.ts";
import { bundle, testFiles } from "./bundle.ts";
import { findMutants, type Mutant } from "./find.ts";
import { openTester } from "./tester.ts";
import { keyOf, problemsOf, readSurvivors, said, type Survivor } from "./survivors.ts";

const root = packageFolder;

/** Of the mutants in a folder. */
interface Tally {
  all: number;
  survived: number;
}

process.exitCode = await main(process.argv.slice(2));

async function main(places: readonly string[]): Promise<number> {
  const sources = findMutants(root);
  const all = sources.flatMap(({ mutants }) => mutants);
  const isChosen = ({ file }: { file: string }): boolean =>
    places.length === 0 || places.some((place) => file === place || file.startsWith(`${place.replace(/\/$/, "")}/`));
  const chosen = all.filter((one) => isChosen(one));
  if (chosen.length === 0) {
    process.stderr.write(
      `no code that decides is in ${places.join(", ")}; expected a folder or file such as checks/cli\n`,
    );
    return 2;
  }
  const programs = await bundle(root, testFiles(root), sources);
  const tester = await openTester(
    programs,
    path.join(root, "build/mutants-worker.js"),
    new Set(chosen.map(({ file }) => file)),
  );
  try {
    const { survivors, observers } = await tryAll(chosen, tester);
    const judged = chosen.filter(({ id }) => !observers.has(id));
    printTallies(judged, survivors);
    const list = readSurvivors(root);
    const problems = [
      ...problemsOf(
        list,
        all.filter(({ id }) => !observers.has(id)),
      ),
      ...unexplained(list, survivors),
      ...noticed(
        list.filter((one) => isChosen(one)),
        survivors,
      ),
    ];
    for (const problem of problems) process.stdout.write(`${problem}\n`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    await tester.close();
  }
}

/** `survivors` by their keys; `observers` by their numbers: places in tables of cases that no judge evaluates. */
async function tryAll(
  mutants: readonly Mutant[],
  tester: Awaited<ReturnType<typeof openTester>>,
): Promise<{ survivors: Map<string, Mutant>; observers: Set<number> }> {
  const survivors = new Map<string, Mutant>();
  const observers = new Set<number>();
  for (const mutant of mutants) {
    const outcome = await tester.try(mutant);
    if (outcome === "unreached" && mutant.maybeObserver) observers.add(mutant.id);
    else if (outcome !== "noticed") survivors.set(keyOf(mutant), mutant);
  }
  return { survivors, observers };
}

function printTallies(mutants: readonly Mutant[], survivors: ReadonlyMap<string, Mutant>): void {
  const tallies = new Map<string, Tally>();
  for (const mutant of mutants) {
    const folder = /^(checks\/\w+|src\/history)\//.exec(mutant.file)?.[1] ?? mutant.file;
    for (const name of [folder, "all"]) {
      const tally = tallies.get(name) ?? { all: 0, survived: 0 };
      tally.all += 1;
      if (survivors.has(keyOf(mutant))) tally.survived += 1;
      tallies.set(name, tally);
    }
  }
  for (const [name, { all, survived }] of tallies)
    process.stdout.write(`${name}: ${all} mutants, ${survived} survived, ${((100 * survived) / all).toFixed(1)} %\n`);
}

function unexplained(list: readonly Survivor[], survivors: ReadonlyMap<string, Mutant>): string[] {
  const known = new Set(list.map((one) => keyOf(one)));
  return [...survivors]
    .filter(([key]) => !known.has(key))
    .map(([, one]) => `survived and is not listed: ${asEntry(one)}`);
}

function noticed(list: readonly Survivor[], survivors: ReadonlyMap<string, Mutant>): string[] {
  return list
    .filter((one) => !survivors.has(keyOf(one)))
    .map((one) => `is listed but a test notices it, remove it: ${said(one)}`);
}

/** To be added to the list, with a reason. */
function asEntry({ file, in: where, kind, from, to, nth }: Mutant): string {
  return JSON.stringify({ file, in: where, kind, from, to, ...(nth === undefined ? {} : { nth }), why: "" });
}
