/**
 * What this run has created on the server and not yet seen removed. Each name is written to disk before it is created
 * and struck off after its removal was seen, so that `kalam-ready cleanup` finds it however the run ends. One file per
 * run, one JSON object per line, no secrets. The file is removed when nothing is left.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import { makeFolder, mustBeOwn, stateFolder } from "./folders.ts";
import { isRecord, type Json } from "../wire/json.ts";

/** `folder`: the data of a server that the run started itself. A topic outlives its namespace. */
const kinds = ["namespace", "topic", "account", "folder"] as const;
export type Kind = (typeof kinds)[number];

export interface Entry {
  readonly kind: Kind;
  readonly name: string;
}

/** A ledger file of any run. */
export interface LedgerFile {
  readonly file: string;
  readonly run: string;
  readonly url: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly left: readonly Entry[];
}

type Head = Pick<LedgerFile, "run" | "url" | "pid" | "startedAt">;
type Line = Head | { readonly made: Entry } | { readonly gone: Entry };

/** The folder of the ledgers: `KALAM_READY_STATE`, else the user's state folder. */
export function ledgerFolder(environment: NodeJS.ProcessEnv): string {
  const own = environment["KALAM_READY_STATE"];
  if (own !== undefined && own !== "") return own;
  return path.join(stateFolder(environment), "kalam-ready");
}

export class Ledger {
  readonly file: string;
  readonly #left = new Map<string, Entry>();
  #names = 0;
  #failure: unknown;

  /** Throws if the folder is not writable, or not the user's own: nothing may be created that `cleanup` could not find. */
  constructor(folder: string, run: { run: string; url: string }) {
    makeFolder(path.dirname(folder), { mode: 0o700 });
    mustBeOwn(folder);
    makeFolder(folder, { mode: 0o700 });
    this.file = path.join(folder, `${run.run}.jsonl`);
    // A new file: what somebody else has put there, a symbolic link for one, is not written to.
    closeSync(openSync(this.file, "wx", 0o600));
    this.#append({ ...run, pid: process.pid, startedAt: new Date().toISOString() });
  }

  /** The first error while writing, undefined if there was none. */
  get failure(): unknown {
    return this.#failure;
  }

  enter(entry: Entry): void {
    const key = `${entry.kind} ${entry.name}`;
    if (this.#left.has(key)) return;
    this.#append({ made: entry });
    this.#left.set(key, entry);
    if (entry.kind !== "folder") this.#names += 1;
  }

  /** The number of names on the server that were ever entered. */
  get names(): number {
    return this.#names;
  }

  /** Strikes off an entry whose removal was seen. */
  strike(entry: Entry): void {
    if (this.#left.delete(`${entry.kind} ${entry.name}`)) this.#append({ gone: entry });
  }

  /** Entries whose removal has not been seen. */
  left(): readonly Entry[] {
    return [...this.#left.values()];
  }

  /** Removes the file if nothing is left. */
  close(): void {
    if (this.#left.size === 0) this.#guard(() => rmSync(this.file, { force: true }));
  }

  #append(line: Line): void {
    this.#guard(() => append(this.file, line));
  }

  #guard(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }
}

/** To a file that exists: one that was removed, or replaced by a link, could not be found again. */
function append(file: string, line: Line): void {
  const opened = openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  try {
    writeSync(opened, `${JSON.stringify(line)}\n`);
  } finally {
    closeSync(opened);
  }
}

/** Strikes off an entry in the ledger of another run. The file is removed when nothing is left in it. */
export function strikeIn(ledger: LedgerFile, entry: Entry): LedgerFile {
  const left = ledger.left.filter(({ kind, name }) => kind !== entry.kind || name !== entry.name);
  if (left.length === 0) rmSync(ledger.file, { force: true });
  else append(ledger.file, { gone: entry });
  return { ...ledger, left };
}

/** Every ledger in the folder. A truncated last line, left by a killed run, is ignored. Throws NotOwnError. */
export function readLedgers(folder: string): LedgerFile[] {
  mustBeOwn(folder);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const ledgers: LedgerFile[] = [];
  for (const name of names.filter((one) => one.endsWith(".jsonl"))) {
    const ledger = readLedger(path.join(folder, name));
    if (ledger !== undefined) ledgers.push(ledger);
  }
  return ledgers;
}

/** Undefined if the file is not a ledger or was removed meanwhile. */
function readLedger(file: string): LedgerFile | undefined {
  let head: Head | undefined;
  const left = new Map<string, Entry>();
  let text: string;
  try {
    if (!lstatSync(file).isFile()) return undefined;
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  for (const row of text.split("\n")) {
    const line = lineOf(row);
    if (line === undefined) continue;
    if ("run" in line) head = line;
    else if ("made" in line) left.set(`${line.made.kind} ${line.made.name}`, line.made);
    else left.delete(`${line.gone.kind} ${line.gone.name}`);
  }
  return head === undefined ? undefined : { file, ...head, left: [...left.values()] };
}

/** Undefined if the row is truncated or not a line of a ledger. */
function lineOf(row: string): Line | undefined {
  let line: Json;
  try {
    line = JSON.parse(row) as Json;
  } catch {
    return undefined;
  }
  if (!isRecord(line)) return undefined;
  if (isEntry(line["made"])) return { made: line["made"] };
  if (isEntry(line["gone"])) return { gone: line["gone"] };
  const { run, url, pid, startedAt } = line;
  if (typeof run !== "string" || typeof url !== "string" || typeof pid !== "number") return undefined;
  return { run, url, pid, startedAt: typeof startedAt === "string" ? startedAt : "" };
}

function isEntry(value: Json | undefined): value is { kind: Kind; name: string } {
  return isRecord(value) && kinds.some((kind) => kind === value["kind"]) && typeof value["name"] === "string";
}
