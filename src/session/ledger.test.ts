import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Ledger, ledgerFolder, readLedgers, strikeIn, type Entry } from "./ledger.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "ledger-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = { run: "k7f3a", url: "http://127.0.0.1:8080" };
const space: Entry = { kind: "namespace", name: "kr_k7f3a_1" };
const account: Entry = { kind: "account", name: "kr_k7f3a_dba_1" };
const server: Entry = { kind: "folder", name: "/tmp/kalam-ready-0123456789ab" };
const written = (ledger: Ledger): unknown[] =>
  readFileSync(ledger.file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line) as unknown); // prettier-ignore

test("a name is on disk as soon as it is entered, and struck off on disk, too", () => {
  const ledger = new Ledger(folder, run);
  expect(written(ledger)).toEqual([
    { ...run, pid: process.pid, startedAt: expect.stringMatching(/^\d{4}-/) as string },
  ]);
  ledger.enter(space);
  expect(written(ledger).at(-1)).toEqual({ made: space });
  ledger.strike(space);
  expect(written(ledger).at(-1)).toEqual({ gone: space });
});

test("what was made and not seen removed is left, here and for whoever reads the file", () => {
  const ledger = new Ledger(folder, run);
  for (const entry of [space, account, server]) ledger.enter(entry);
  ledger.strike(account);
  expect(ledger.left()).toEqual([space, server]);
  const [read] = readLedgers(folder);
  const startedAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string;
  expect(read).toEqual({ ...run, file: ledger.file, pid: process.pid, startedAt, left: [space, server] });
});

test("a name is entered once, and one that was never entered cannot be struck off", () => {
  const ledger = new Ledger(folder, run);
  ledger.enter(space);
  ledger.enter({ ...space });
  ledger.strike(account);
  expect(written(ledger)).toHaveLength(2);
  expect(ledger.left()).toEqual([space]);
});

test("an account and a namespace of one name are two things", () => {
  const ledger = new Ledger(folder, run);
  ledger.enter(space);
  ledger.enter({ kind: "account", name: space.name });
  ledger.strike(space);
  expect(ledger.left()).toEqual([{ kind: "account", name: space.name }]);
});

test("it counts the names on the server, gone or not, and no folder", () => {
  const ledger = new Ledger(folder, run);
  for (const entry of [space, account, server, space]) ledger.enter(entry);
  ledger.strike(space);
  expect(ledger.names).toBe(2);
});

describe("closing", () => {
  test("removes the file where nothing is left, and keeps it where something is", () => {
    const ledger = new Ledger(folder, run);
    ledger.enter(space);
    ledger.close();
    expect(existsSync(ledger.file)).toBe(true);
    ledger.strike(space);
    ledger.close();
    expect(existsSync(ledger.file)).toBe(false);
  });

  test("does not mind that somebody has removed the file already", () => {
    const ledger = new Ledger(folder, run);
    rmSync(ledger.file);
    expect(() => ledger.close()).not.toThrow();
  });
});

test("a folder that does not exist yet is made", () => {
  const deep = path.join(folder, "a", "b");
  expect(existsSync(new Ledger(deep, run).file)).toBe(true);
});

test("where it cannot be written, there is no ledger, and so no run", () => {
  const file = path.join(folder, "file");
  writeFileSync(file, "");
  expect(() => new Ledger(file, run)).toThrow("EEXIST");
  mkdirSync(path.join(folder, "k7f3a.jsonl"));
  expect(() => new Ledger(folder, run)).toThrow("EEXIST");
});

test.for(["/proc/x/y/state", "/proc/state", "/dev/null/state"])("below %s there is none either, at once", (place) => {
  expect(() => new Ledger(place, run)).toThrow(/ENOENT|ENOTDIR|EACCES|EPERM|EEXIST/);
});

test("folder and file are for this user only", () => {
  const ledger = new Ledger(path.join(folder, "state"), run);
  ledger.enter(space);
  const modes = [path.join(folder, "state"), ledger.file].map((name) => statSync(name).mode & 0o777);
  expect(modes).toEqual([0o700, 0o600]);
});

test("a link that somebody has put in its place is not followed, neither at the beginning nor later", () => {
  const victim = path.join(folder, "victim");
  writeFileSync(victim, "mine\n");
  symlinkSync(victim, path.join(folder, "k7f3a.jsonl"));
  expect(() => new Ledger(folder, run)).toThrow("EEXIST");
  rmSync(path.join(folder, "k7f3a.jsonl"));
  const ledger = new Ledger(folder, run);
  rmSync(ledger.file);
  symlinkSync(victim, ledger.file);
  expect(() => ledger.enter(space)).toThrow("ELOOP");
  expect(readFileSync(victim, "utf8")).toBe("mine\n");
  expect(readLedgers(folder)).toEqual([]);
});

test("the first failure to write is kept", () => {
  const ledger = new Ledger(folder, run);
  expect(ledger.failure).toBeUndefined();
  rmSync(ledger.file);
  expect(() => ledger.enter(space)).toThrow("ENOENT");
  expect(() => ledger.enter(account)).toThrow("ENOENT");
  expect(String(ledger.failure)).toContain("ENOENT");
});

test("in the ledger of another run, one entry is struck off, and the file is removed with the last", () => {
  const ledger = new Ledger(folder, run);
  for (const entry of [space, server]) ledger.enter(entry);
  const [read] = readLedgers(folder);
  if (read === undefined) throw new Error("there is no ledger");
  const struck = strikeIn(read, server);
  expect([struck.left, readLedgers(folder)[0]?.left]).toEqual([[space], [space]]);
  expect(strikeIn(struck, space).left).toEqual([]);
  expect(existsSync(ledger.file)).toBe(false);
});

test("a name that could not be written down must not be made: entering throws, and does not count", () => {
  const ledger = new Ledger(folder, run);
  rmSync(folder, { recursive: true });
  expect(() => ledger.enter(space)).toThrow("ENOENT");
  expect(ledger.left()).toEqual([]);
});

describe("reading", () => {
  test("passes over the half line of a run that was killed", () => {
    const ledger = new Ledger(folder, run);
    ledger.enter(space);
    appendFileSync(ledger.file, '{"made":{"kind":"namespace","na');
    expect(readLedgers(folder).map(({ left }) => left)).toEqual([[space]]);
  });

  test("tells one ledger for each run", () => {
    for (const id of ["a1b2c", "d3e4f"]) new Ledger(folder, { ...run, run: id }).enter(space);
    expect(readLedgers(folder).map((one) => one.run).toSorted()).toEqual(["a1b2c", "d3e4f"]); // prettier-ignore
  });

  test.for([
    ["nothing", ""],
    ["half a first line", '{"run":"k7f3a","url":"http'],
    ["JSON that is no record", '1\nnull\n[]\n"run"\n'],
    [
      "records of somebody else's",
      '{"a":1}\n{"gone":null}\n{"made":"x"}\n{"run":7}\n{"run":"a","pid":1}\n{"url":"u","run":1,"pid":1}\n{"run":"a","url":"u"}\n',
    ],
  ] as const)("a file with %s is none of ours", ([, content]) => {
    writeFileSync(path.join(folder, "other.jsonl"), content);
    expect(readLedgers(folder)).toEqual([]);
  });

  test("lines of somebody else's among ours are passed over", () => {
    const ledger = new Ledger(folder, run);
    appendFileSync(ledger.file, '7\nnull\n{"gone":null}\n{"made":{"kind":"database","name":"prod"}}\n');
    ledger.enter(space);
    expect(readLedgers(folder).map(({ left }) => left)).toEqual([[space]]);
  });

  test("a folder that does not exist, a folder with such a name, and other files are no ledgers", () => {
    expect(readLedgers(path.join(folder, "no"))).toEqual([]);
    mkdirSync(path.join(folder, "x.jsonl"));
    writeFileSync(path.join(folder, "notes.txt"), '{"run":"k7f3a"}\n');
    expect(readLedgers(folder)).toEqual([]);
  });
});

test("the folder is KALAM_READY_STATE, else in the user's state folder", () => {
  expect(ledgerFolder({ KALAM_READY_STATE: "/s", XDG_STATE_HOME: "/x" })).toBe("/s");
  expect(ledgerFolder({ KALAM_READY_STATE: "", XDG_STATE_HOME: "/x" })).toBe("/x/kalam-ready");
  expect(ledgerFolder({ XDG_STATE_HOME: "" })).toBe(path.join(homedir(), ".local", "state", "kalam-ready"));
});

describe("a state folder in the temporary folder", () => {
  const user = 4_711;
  /** That of a user without a home. */
  const shared = (): string => path.join(folder, `kalam-ready-${user}`);
  const state = (): string => path.join(shared(), "kalam-ready");
  beforeEach(() => {
    vi.stubEnv("TMPDIR", folder);
    vi.spyOn(process, "getuid").mockReturnValue(user);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
  /** As one that was planted: with a ledger in it. */
  function plant(mode: number): void {
    mkdirSync(state(), { recursive: true });
    writeFileSync(path.join(state(), "a1b2c.jsonl"), `${JSON.stringify({ ...run, pid: 1, startedAt: "" })}\n`);
    chmodSync(shared(), mode);
  }
  const refusal = (why: string): RegExp => new RegExp(`^${shared()} is not a folder of this user alone: ${why}`);
  const both = (why: string): void => {
    expect(() => new Ledger(state(), run)).toThrow(refusal(why));
    expect(() => readLedgers(state())).toThrow(refusal(why));
  };

  test("is not used if it belongs to another user", () => {
    plant(0o700);
    both("it belongs to user \\d+, so others may have written to it; set KALAM_READY_STATE");
    expect(readdirSync(state())).toEqual(["a1b2c.jsonl"]);
  });

  test("is not used if others may write to it", () => {
    plant(0o770);
    vi.spyOn(process, "getuid").mockReturnValue(statSync(shared()).uid);
    // The name depends on the user, too.
    const own = path.join(folder, `kalam-ready-${statSync(shared()).uid}`);
    renameSync(shared(), own);
    expect(() => new Ledger(path.join(own, "kalam-ready"), run)).toThrow("it has mode 770");
    expect(() => readLedgers(path.join(own, "kalam-ready"))).toThrow("it has mode 770");
    chmodSync(own, 0o700);
    expect(readLedgers(path.join(own, "kalam-ready"))).toHaveLength(1);
  });

  test("is not used if it is a link", () => {
    symlinkSync(folder, shared());
    both("it (is no folder|belongs to user)");
    expect(existsSync(path.join(folder, "kalam-ready"))).toBe(false);
  });

  test("is made for this user alone, and any other folder is the user's choice", () => {
    vi.spyOn(process, "getuid").mockReturnValue(statSync(folder).uid);
    const own = path.join(folder, `kalam-ready-${statSync(folder).uid}`);
    expect(readLedgers(path.join(own, "kalam-ready"))).toEqual([]);
    expect(existsSync(new Ledger(path.join(own, "kalam-ready"), run).file)).toBe(true);
    expect(statSync(own).mode & 0o777).toBe(0o700);
    const chosen = path.join(folder, "chosen");
    mkdirSync(chosen);
    chmodSync(chosen, 0o777);
    expect(existsSync(new Ledger(chosen, run).file)).toBe(true);
  });
});
