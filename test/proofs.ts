/**
 * Live proofs of all checks, in shares: each share is a test file, so that they run side by side, on a sandbox of its own. What
 * cannot be determined beside the others is put off until they are done.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadProofs } from "../checks/index.ts";
import type { OwnServer } from "../src/control/process.ts";
import { whyNoTrace } from "../src/control/tracing.ts";
import { groupsOf, proveLive, type LiveProof, type Proof } from "../src/proof.ts";
import { proveTroubled } from "../src/faults/troubled.ts";
import { stopsServer } from "../src/run.ts";
import { findPostgres } from "../src/server/postgres.ts";
import { askDialect } from "../src/server/probing.ts";
import { openTestSession, startSandbox, type TestSession } from "./sandbox.ts";
import { putOff, takePutOff } from "./put-off.ts";

export const shares = 4;

/** A proof takes as long as its machine is slow, and some restart their server twenty times. */
const timeout = 600_000;

/** What proving a group takes, about: two greens, and a red for each finding that is not on paper only. */
function costOf(group: readonly Proof[]): number {
  const reds = group.flatMap(({ breaks }) => Object.values(breaks)).filter((one) => "fault" in one).length;
  return (reds + 2) * ((group[0]?.check.observation.estimateMs ?? 0) + 200);
}

/** The groups of each share: the most expensive first, each to the share that has the least so far. */
function shareOut(groups: readonly Proof[][]): Proof[][][] {
  const all = Array.from({ length: shares }, () => ({ cost: 0, groups: [] as Proof[][] }));
  for (const group of groups.toSorted((a, b) => costOf(b) - costOf(a))) {
    const least = all.reduce((one, other) => (other.cost < one.cost ? other : one));
    least.cost += costOf(group);
    least.groups.push(group);
  }
  return all.map((share) => share.groups);
}

/** They try other statements where versions differ, and expect the same of them. */
const adapted = new Set([
  "cli/catalogue-commands-answer",
  "configuration/catalogue-queryable",
  "configuration/unknown-type-refused",
  "observability/tables-listed",
  "validation/wrong-table-type-refused",
]);

/** Whether it does or expects something else on another version. */
function hangsOnDialect({ check, breaks }: Proof): boolean {
  return (
    adapted.has(check.id) ||
    check.appliesWhere !== undefined ||
    (check.expects ?? []).length > 0 ||
    Object.values(check.findings).some(({ promised }) => promised !== undefined) ||
    Object.values(breaks).some(({ where }) => where !== undefined)
  );
}

/** Defines the tests of the checks that do or expect something else on another version, on a sandbox of that version. */
export async function proveDialect(dialect: string): Promise<void> {
  const groups = groupsOf((await loadProofs()).filter(hangsOnDialect));
  proveGroups(groups, dialect, true);
}

/** Defines the tests of one share, counted from 0. */
export async function proveShare(share: number): Promise<void> {
  proveGroups(shareOut(groupsOf(await loadProofs()))[share] ?? [], "0.4.3", true);
}

/** Defines the tests of the groups that were put off, when nothing else runs; returns how many they are. */
export async function proveWhatWasPutOff(): Promise<number> {
  const left = takePutOff();
  const groups = groupsOf(await loadProofs());
  for (const dialect of new Set(left.map((one) => one.dialect))) {
    const names = new Set(left.filter((one) => one.dialect === dialect).map(({ group }) => group));
    const some = groups.filter((group) => names.has(nameOf(group)));
    describe(`KalamDB ${dialect}`, () => {
      proveGroups(some, dialect, false);
    });
  }
  return left.length;
}

function nameOf(group: readonly Proof[]): string {
  return group.map(({ check }) => check.id).join(", ");
}

/** Attempts at what was undetermined, and beside other tests. */
const triesMax = { alone: 3, beside: 2 };

/**
 * Each fault of a check that stops its server costs several starts of a server: a test run has one of them, another one each
 * day, and all with KALAM_READY_PROVE=all.
 */
function sampled(proof: Proof): Proof {
  const all = Object.entries(proof.breaks);
  if (process.env["KALAM_READY_PROVE"] === "all" || all.length < 2) return proof;
  const day = Math.floor(Date.now() / 86_400_000);
  const at = day % all.length;
  return { ...proof, breaks: Object.fromEntries(all.slice(at, at + 1)) };
}

const noTrace = whyNoTrace();

/** As in a run, what needs strace is left out where there is none. */
function canBeProven([proof]: readonly Proof[]): boolean {
  const isLeftOut = noTrace !== undefined && proof?.check.observation.needs?.includes("trace") === true;
  if (isLeftOut) process.stdout.write(`not proven: ${proof.check.id}: ${noTrace}\n`);
  return !isLeftOut;
}

/** `putsOff`: what stays undetermined is left for when nothing else runs. */
function proveGroups(all: readonly Proof[][], dialect: string, putsOff: boolean): void {
  const groups = all.filter(canBeProven);
  let server: OwnServer | undefined;
  let connection: TestSession | undefined;
  const ledgers = mkdtempSync(path.join(tmpdir(), "kalam-ready-proofs-"));

  beforeAll(async () => {
    // Waiting out a heartbeat is most of what some checks do, and five seconds of it show what ten do.
    const changes = { "websocket.client_timeout_secs": 5, "websocket.heartbeat_interval_secs": 1 };
    server = await startSandbox({
      changes,
      forSpeed: "exceptRates",
      environment: { KALAM_SANDBOX_DIALECT: dialect },
    });
    connection = await openTestSession(server, ledgers);
    // As in a run: checks ask what the server has shown.
    await askDialect(connection.session, options.signal);
    await findPostgres(connection.session, { given: server.postgres, signal: options.signal });
  }, timeout);
  afterAll(async () => {
    await connection?.wire.close();
    await server?.stop();
    rmSync(ledgers, { recursive: true, force: true });
  });

  const options = {
    effort: "light",
    seed: 1,
    parallel: 1,
    timeoutMs: 60_000,
    budgetMs: 600_000,
    keep: false,
    signal: new AbortController().signal,
    leastMs: 3_000,
  } as const;
  const isProven = ({ kind }: LiveProof): boolean => kind === "proven" || kind === "onPaperOnly";

  /** What was not proven, by its finding; empty where all was. Those that stop their server have one of their own. */
  const unproven = async (group: readonly Proof[]): Promise<unknown[]> => {
    if (group[0] === undefined || !stopsServer(group[0].check.observation)) {
      if (connection === undefined) throw new Error("no sandbox");
      return await unprovenOn(group, connection);
    }
    const own = await startSandbox({ forSpeed: "all" });
    let on: TestSession | undefined;
    try {
      on = await openTestSession(own, ledgers);
      return await unprovenOn(group.map(sampled), on);
    } finally {
      await on?.wire.close();
      await own.stop();
    }
  };

  const unprovenOn = async (group: readonly Proof[], { session, wire }: TestSession): Promise<unknown[]> => {
    const attempt = async (): Promise<LiveProof[]> =>
      await proveLive(group, session, wire, { ...options, greens: "once" });
    let results = await attempt();
    // Too little was seen, as on a machine that is busy: tried again, and said so. Red or green stays as it is.
    for (let tries = 1; tries < (putsOff ? triesMax.beside : triesMax.alone); tries += 1) {
      const failed = results.filter((one) => !isProven(one));
      if (failed.length === 0 || failed.some((one) => one.undetermined !== true)) break;
      for (const { check, finding, sentence } of failed)
        process.stdout.write(`proven again, because it was undetermined: ${check} ${finding}: ${sentence}\n`);
      results = await attempt();
    }
    const open = results.filter((one) => !isProven(one));
    if (putsOff && open.length > 0 && open.every((one) => one.undetermined === true)) {
      putOff({ dialect, group: nameOf(group) });
      return [];
    }
    const tried = new Set(results.map(({ check, finding }) => `${check} ${finding}`));
    const untried = group.flatMap(({ check, breaks }) =>
      Object.keys(breaks).filter((finding) => !tried.has(`${check.id} ${finding}`)),
    );
    // What a check must not conclude from a lost answer: one trouble a group, all of them with `prove --trouble`.
    const troubled = await proveTroubled(group, session, wire, { ...options, troubles: "one" });
    return [...untried, ...results, ...troubled].filter((one) => typeof one === "string" || !isProven(one));
  };

  const [alone, together] = [true, false].map((wanted) =>
    groups
      .filter(([first]) => (first?.check.observation.alone === true) === wanted)
      .map((group) => [nameOf(group), group] as const),
  );
  // As in a run: side by side, because many of them mostly wait, and then those that must be alone.
  test.concurrent.each(together ?? [])(
    "%s: green, red by name with each fault, green again",
    { timeout },
    async (_, group) => {
      expect(await unproven(group)).toEqual([]);
    },
  );
  test.each(alone ?? [])(
    "%s: green, red by name with each fault, green again, alone",
    { timeout },
    async (_, group) => {
      expect(await unproven(group)).toEqual([]);
    },
  );
}
