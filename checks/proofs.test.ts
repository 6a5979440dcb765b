import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OwnServer } from "../src/control/process.ts";
import { proveLive, proveOnPaper } from "../src/proof.ts";
import { openTestSession, startSandbox, type TestSession } from "../test/sandbox.ts";
import { loadProofs } from "./index.ts";

const proofs = await loadProofs();

describe("on paper", () => {
  test.each(proofs.map((proof) => [proof.check.id, proof] as const))(
    "%s judges written evidence as it should",
    (_, proof) => {
      expect(proveOnPaper(proof)).toEqual([]);
    },
  );
});

// Side by side, as in a run: many of them mostly wait.
describe.concurrent("live, on the sandbox", () => {
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

  test.each(proofs.map((proof) => [proof.check.id, proof] as const))(
    "%s is green, red by name with the fault, and green again",
    async (_, proof) => {
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
      expect(results.filter((result) => result.kind !== "proven" && result.kind !== "onPaperOnly")).toEqual([]);
      expect(results.map((result) => result.finding)).toEqual(Object.keys(proof.breaks));
    },
    120_000,
  );
});
