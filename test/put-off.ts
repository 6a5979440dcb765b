/**
 * Proofs that could not be determined beside other tests, and are tried again when nothing else runs: on a machine that is busy,
 * and most of all with its own tests, `unknown` is the right verdict about time.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

interface PutOff {
  readonly dialect: string;
  /** The name of its test. */
  readonly group: string;
}

const variable = "TESTS_PUT_OFF";

/** Called once, before there are workers. */
export function openList(): () => void {
  const made = mkdtempSync(path.join(tmpdir(), "kalam-ready-put-off-"));
  process.env[variable] = made;
  return () => rmSync(made, { recursive: true, force: true });
}

export function putOff(one: PutOff): void {
  process.stdout.write(`put off until nothing else runs: ${one.group}\n`);
  writeFileSync(path.join(folder(), `${one.dialect} ${one.group.replaceAll("/", "_")}`), JSON.stringify(one));
}

/** What was put off, in the order of their names; from here on it counts as tried. */
export function takePutOff(): PutOff[] {
  return listed().map((file) => {
    const one = JSON.parse(readFileSync(file, "utf8")) as PutOff;
    rmSync(file);
    return one;
  });
}

/** The names of what nobody has tried again. */
export function leftUntried(): string[] {
  return listed().map((file) => path.basename(file));
}

function listed(): string[] {
  return readdirSync(folder())
    .toSorted()
    .map((name) => path.join(folder(), name));
}

function folder(): string {
  const at = process.env[variable];
  if (at === undefined) throw new Error("the tests were not set up");
  return at;
}
