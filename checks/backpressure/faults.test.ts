/** Faults beyond the one of each finding, live: each must turn the check red by that finding. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OwnServer } from "../../src/control/process.ts";
import { proveLive, type Fault, type LiveProof, type Proof } from "../../src/proof.ts";
import { openTestSession, startSandbox, type TestSession } from "../../test/sandbox.ts";

const timeout = 300_000;
type ProofModule = { readonly default: Proof; readonly alsoFound?: Readonly<Record<string, readonly Fault[]>> };

const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const modules = await Promise.all(folders.map(async ({ name }) => (await import(`./${name}/proof.ts`)) as ProofModule));
/** A proof of each fault alone. */
const proofs = modules.flatMap(({ default: proof, alsoFound = {} }) =>
  Object.entries(alsoFound).flatMap(([finding, faults]) =>
    faults.map((fault): Proof => {
      const broken = proof.breaks[finding];
      if (broken === undefined || !("fault" in broken)) throw new Error(`${proof.check.id} proves no ${finding} live`);
      return { ...proof, breaks: { [finding]: { ...broken, fault } } };
    }),
  ),
);

const ledgers = mkdtempSync(path.join(tmpdir(), "kalam-ready-faults-"));
let server: OwnServer;
let connection: TestSession;

beforeAll(async () => {
  server = await startSandbox({
    changes: { "websocket.client_timeout_secs": 5, "websocket.heartbeat_interval_secs": 1 },
  });
  connection = await openTestSession(server, ledgers);
}, timeout);
afterAll(async () => {
  await connection.wire.close();
  await server.stop();
  rmSync(ledgers, { recursive: true, force: true });
});

const nameOf = ({ check, breaks }: Proof): string =>
  Object.entries(breaks)
    .map(([finding, broken]) => `${check.id} ${finding}: ${"fault" in broken ? broken.fault.name : ""}`)
    .join();

test.concurrent.each(proofs.map((proof) => [nameOf(proof), proof] as const))("%s", { timeout }, async (_, proof) => {
  const prove = async (): Promise<readonly LiveProof[]> =>
    await proveLive([proof], connection.session, connection.wire, {
      effort: "light",
      seed: 1,
      parallel: 1,
      timeoutMs: 60_000,
      budgetMs: 600_000,
      keep: false,
      signal: new AbortController().signal,
      greens: "once",
    });
  let results = await prove();
  // Too little was seen, as on a machine that is busy.
  if (results.some(({ undetermined }) => undetermined === true)) results = await prove();
  expect(results).toMatchObject([{ kind: "proven" }]);
});
