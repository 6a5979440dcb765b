import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { proveLive, proveOnPaper, type Proof } from "../src/proof.ts";
import { openTestSession, startSandbox, type TestSession } from "../test/sandbox.ts";
import { loadProofs } from "./index.ts";

const proofs = await loadProofs();

describe("on paper", () => {
  test.each(proofs.map((proof) => [proof.check.id, proof] as const))(
    "%s judges the written evidence as expected",
    (_, proof) => {
      expect(proveOnPaper(proof)).toEqual([]);
    },
  );
});

describe("live, on the sandbox", () => {
  let server: OwnServer | undefined;
  let connection: TestSession | undefined;
  const ledgers = mkdtempSync(path.join(tmpdir(), "kalam-ready-proofs-"));

  beforeAll(async () => {
    server = await startSandbox();
    connection = await openTestSession(server, ledgers);
  });
  afterAll(async () => {
    await connection?.wire.close();
    await server?.stop();
    rmSync(ledgers, { recursive: true, force: true });
  });

  /** The findings that were not proven. */
  const unproven = async (proof: Proof): Promise<unknown[]> => {
    if (connection === undefined) throw new Error("no sandbox");
    const options = {
      effort: "light",
      seed: 1,
      parallel: 1,
      timeoutMs: 60_000,
      budgetMs: 600_000,
      keep: false,
      signal: new AbortController().signal,
    } as const;
    const results = await proveLive(proof, connection.session, connection.wire, options);
    const tried = new Set(results.map((result) => result.finding));
    const untried = Object.keys(proof.breaks).filter((finding) => !tried.has(finding));
    return [...untried, ...results.filter(({ kind }) => kind !== "proven" && kind !== "onPaperOnly")];
  };

  const [alone, together] = [true, false].map((wanted) =>
    proofs
      .filter(({ check }) => (check.observation.alone === true) === wanted)
      .map((proof) => [proof.check.id, proof] as const),
  );
  // As in a run: concurrently, because many of them mostly wait, and then those that must run alone.
  test.concurrent.each(together ?? [])(
    "%s is green, red by name with the fault, and green again",
    { timeout: 120_000 },
    async (_, proof) => {
      expect(await unproven(proof)).toEqual([]);
    },
  );
  test.each(alone ?? [])(
    "%s is green, red by name with the fault, and green again, running alone",
    { timeout: 120_000 },
    async (_, proof) => {
      expect(await unproven(proof)).toEqual([]);
    },
  );
});
