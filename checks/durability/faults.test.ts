/** A restart that was none, and a server that was damaged, on a sandbox of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OwnServer } from "../../src/control/process.ts";
import { restartNothing } from "../../src/faults/control.ts";
import type { Fault } from "../../src/proof.ts";
import { run } from "../../src/run.ts";
import { openTestSession, startSandbox, type TestSession } from "../../test/sandbox.ts";
import { ackedRowsSurviveKill } from "./acked-rows-survive-kill/index.ts";
import { rowsSurviveRestart } from "./rows-survive-restart/index.ts";
import proof from "./rows-survive-restart/proof.ts";

const timeout = 300_000;
const ledgers = mkdtempSync(path.join(tmpdir(), "kalam-ready-faults-"));
let server: OwnServer;
let connection: TestSession;

beforeAll(async () => {
  server = await startSandbox({ forSpeed: "all" });
  connection = await openTestSession(server, ledgers);
}, timeout);
afterAll(async () => {
  await connection.wire.close();
  await server.stop();
  rmSync(ledgers, { recursive: true, force: true });
});

async function verdictOf(
  check: typeof rowsSurviveRestart | typeof ackedRowsSurviveKill,
  fault?: Fault,
): Promise<string> {
  const { session, wire } = connection;
  const step = { check, disposition: { kind: "run" }, limits: {} } as const;
  const [outcome] = await run([step as never], session, {
    effort: "light",
    seed: 1,
    parallel: 1,
    timeoutMs: 120_000,
    budgetMs: 600_000,
    keep: false,
    signal: new AbortController().signal,
    wire: fault?.wrap(wire, () => undefined) ?? wire,
  });
  const verdict = outcome?.verdict;
  if (verdict?.kind === "fail") return verdict.found.map(({ name }) => name).join(", ");
  return `${verdict?.kind}: ${verdict?.sentence}`;
}

test.each([rowsSurviveRestart, ackedRowsSurviveKill])(
  "$id: a restart that was none is no pass",
  { timeout },
  async (check) => {
    const { pid } = server;
    expect(await verdictOf(check, restartNothing)).toMatch(/^unknown: nothing shows that the server was restarted/);
    expect(server.pid).toBe(pid);
  },
);

test("a server that was started on an empty folder has its own again after the check", { timeout }, async () => {
  const broken = proof.breaks["accountsLost"];
  if (broken === undefined || !("fault" in broken)) throw new Error("no fault");
  expect(await verdictOf(rowsSurviveRestart, broken.fault)).toMatch(/accountsLost/);
  expect(await verdictOf(rowsSurviveRestart)).toMatch(/^pass: /);
});
