/** Live proofs of all checks, in shares: each share is a test file, so that they run side by side, on a sandbox of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadProofs } from "../checks/index.ts";
import type { OwnServer } from "../src/control/process.ts";
import { proveLive, type LiveProof, type Proof } from "../src/proof.ts";
import { openTestSession, startSandbox, type TestSession } from "./sandbox.ts";

export const shares = 4;

/** A proof takes as long as its machine is slow. */
const timeout = 300_000;

/** Proofs of checks that share an observation: their greens are shared, too. */
function groupsOf(proofs: readonly Proof[]): Proof[][] {
  const groups = new Map<unknown, Proof[]>();
  for (const proof of proofs) {
    const { observation } = proof.check;
    groups.set(observation, [...(groups.get(observation) ?? []), proof]);
  }
  return [...groups.values()];
}

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

/** Defines the tests of one share, counted from 0. */
export async function proveShare(share: number): Promise<void> {
  const groups = shareOut(groupsOf(await loadProofs()))[share] ?? [];
  let server: OwnServer | undefined;
  let connection: TestSession | undefined;
  const ledgers = mkdtempSync(path.join(tmpdir(), "kalam-ready-proofs-"));

  beforeAll(async () => {
    // Waiting out a heartbeat is most of what some checks do, and five seconds of it show what ten do.
    const changes = { "websocket.client_timeout_secs": 5, "websocket.heartbeat_interval_secs": 1 };
    server = await startSandbox({ changes });
    connection = await openTestSession(server, ledgers);
  }, timeout);
  afterAll(async () => {
    await connection?.wire.close();
    await server?.stop();
    rmSync(ledgers, { recursive: true, force: true });
  });

  const attempt = async (group: readonly Proof[]): Promise<LiveProof[]> => {
    if (connection === undefined) throw new Error("no sandbox");
    return await proveLive(group, connection.session, connection.wire, {
      effort: "light",
      seed: 1,
      parallel: 1,
      timeoutMs: 60_000,
      budgetMs: 600_000,
      keep: false,
      signal: new AbortController().signal,
      greens: "once",
    });
  };
  const isProven = ({ kind }: LiveProof): boolean => kind === "proven" || kind === "onPaperOnly";

  /** What was not proven, by its finding; empty where all was. */
  const unproven = async (group: readonly Proof[]): Promise<unknown[]> => {
    let results = await attempt(group);
    const failed = results.filter((one) => !isProven(one));
    // Too little was seen, as on a machine that is busy: tried again, once, and said so. Red or green stays as it is.
    if (failed.length > 0 && failed.every((one) => one.undetermined === true)) {
      for (const { check, finding, sentence } of failed)
        process.stdout.write(`proven again, because it was undetermined: ${check} ${finding}: ${sentence}\n`);
      results = await attempt(group);
    }
    const tried = new Set(results.map(({ check, finding }) => `${check} ${finding}`));
    const untried = group.flatMap(({ check, breaks }) =>
      Object.keys(breaks).filter((finding) => !tried.has(`${check.id} ${finding}`)),
    );
    return [...untried, ...results.filter((one) => !isProven(one))];
  };

  const [alone, together] = [true, false].map((wanted) =>
    groups
      .filter(([first]) => (first?.check.observation.alone === true) === wanted)
      .map((group) => [group.map(({ check }) => check.id).join(", "), group] as const),
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
