/** A server where nobody may log in with a password: a token gets the run in, and its own accounts cannot exist. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadCategories } from "../../checks/index.ts";
import { startSandbox } from "../../test/sandbox.ts";
import type { OwnServer } from "../control/process.ts";
import { changeRows } from "../faults/sql.ts";
import { effectiveProfile } from "../profile/effective.ts";
import { readProfile } from "../profile/read.ts";
import { run } from "../run.ts";
import { Ledger } from "../session/ledger.ts";
import { noPasswordLogin } from "../session/accounts.ts";
import { Recording } from "../session/recording.ts";
import { Redactor } from "../session/redaction.ts";
import { openSession } from "../session/session.ts";
import { httpWire } from "../wire/http.ts";
import { planAsking } from "./asking.ts";
import type { Attached } from "./attach.ts";
import type { Output } from "./output.ts";

const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-asking-"));
let server: OwnServer;
beforeAll(async () => {
  server = await startSandbox({});
}, 120_000);
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("is told once, before the first check, and what needs accounts of its own is unknown", async () => {
  const categories = await loadCategories();
  const source = readProfile(undefined, { categories, environment: {}, onSecret: () => undefined });
  const flags = { url: server.url, only: ["configuration/answers-sql", "full-namespace-guarded"] };
  const { profile } = effectiveProfile(source, flags, {}, categories);
  const wire = httpWire(server.url, { connections: 4 });
  const switchOff = changeRows("switchPasswordsOff", /FROM system\.settings/, (rows) => [
    ...rows,
    ["auth.local.enabled", "false"],
  ]);
  const session = await openSession({
    run: "a1b2c",
    url: server.url,
    wire: switchOff.wrap(wire, () => undefined),
    credentials: { kind: "password", user: "root", password: server.rootPassword },
    redactor: new Redactor(),
    recording: new Recording(),
    openLedger: () => new Ledger(folder, { run: "a1b2c", url: server.url }),
    timeoutMs: 15_000,
  });
  if ("kind" in session) throw new Error(session.sentence);
  const told: string[] = [];
  const output = { tell: (text: string) => told.push(text), progress: () => undefined } as unknown as Output;
  const { signal } = new AbortController();
  try {
    const plan = await planAsking({ session } as Attached, { profile, categories, own: false, output, signal });
    expect(told).toEqual([noPasswordLogin]);
    const outcomes = await run(plan.steps, session, { ...profile, seed: 1, keep: false, signal, wire });
    expect(outcomes.map(({ step, verdict }) => [step.check.id, verdict.kind])).toEqual([
      ["configuration/answers-sql", "pass"],
      ["configuration/full-namespace-guarded", "unknown"],
    ]);
    expect(outcomes[1]?.verdict).toEqual({ kind: "unknown", sentence: noPasswordLogin });
  } finally {
    session.ledger.close();
    await wire.close();
  }
}, 120_000);
