/** What a server is asked before the first check, on sandboxes of both dialects. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { OwnServer } from "../control/process.ts";
import { refuseIt, sqlFault } from "../faults/sql.ts";
import type { Fault } from "../proof.ts";
import { valueOf, type Learned } from "./dialect.ts";
import { knownVersions, probedNames } from "./facts.ts";
import { askDialect } from "./probing.ts";
import { leftOn, openTestSession, startSandbox } from "../../test/sandbox.ts";

const dialects = ["0.4.3", "0.8"] as const;
const folder = mkdtempSync(path.join(tmpdir(), "kalam-ready-dialect-"));
const servers = new Map<string, OwnServer>();
let files = 0;

beforeAll(async () => {
  for (const dialect of dialects)
    servers.set(dialect, await startSandbox({ environment: { KALAM_SANDBOX_DIALECT: dialect } }));
}, 120_000);
afterAll(async () => {
  for (const server of servers.values()) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Asked {
  readonly learned: Learned;
  /** The statements that were sent. */
  readonly sent: readonly string[];
}

/** What is learned of a sandbox, with a fault before it, and with the version that it tells or none. */
async function ask(dialect: string, options: { fault?: Fault; version?: string | undefined } = {}): Promise<Asked> {
  const server = servers.get(dialect) as OwnServer;
  files += 1;
  const { session, wire } = await openTestSession(server, path.join(folder, `asked-${files}`));
  const { recording } = session.parts;
  try {
    const before = recording.count;
    const version = "version" in options ? options.version : session.capabilities.version;
    const faulty = options.fault?.wrap(session.parts.wire, () => undefined) ?? session.parts.wire;
    const asked = {
      ...session,
      capabilities: { ...session.capabilities, version },
      parts: { ...session.parts, wire: faulty },
    };
    const learned = await askDialect(asked, AbortSignal.timeout(30_000));
    const numbers = Array.from({ length: recording.count - before }, (_, at) => before + 1 + at);
    const sent = numbers.map((number) => `${recording.get(number)?.method} ${recording.get(number)?.text ?? ""}`);
    return { learned, sent };
  } finally {
    session.ledger.close();
    await wire.close();
  }
}

const factsOf = (name: string) => knownVersions.find((one) => one.name === name)?.facts;

test.each(dialects)("a server of %s shows what it is in at most six requests and one live query", async (dialect) => {
  const { learned, sent } = await ask(dialect);
  for (const name of probedNames) {
    expect(learned.dialect[name]).toEqual({ known: true, value: factsOf(dialect)?.[name]?.value, from: "probed" });
  }
  expect(sent.filter((one) => one.startsWith("POST")).length).toBeLessThanOrEqual(6);
  expect(sent.filter((one) => one.startsWith("SEND"))).toEqual([
    expect.stringContaining("authenticate"),
    expect.stringContaining("subscribe"),
  ]);
  expect(await leftOn(servers.get(dialect) as OwnServer, path.join(folder, `left-${dialect}`))).toEqual([]);
});

test.each(dialects)("a server of %s that tells no version is known by what it answers", async (dialect) => {
  const { learned } = await ask(dialect, { version: undefined });
  expect(learned.version).toBe(dialect);
  expect(valueOf(learned.dialect.keyOptional)).toBe(factsOf(dialect)?.keyOptional?.value);
});

test.each(dialects)("of a version of the future only what a server of %s answers is known", async (dialect) => {
  const { learned } = await ask(dialect, { version: "1.2.0" });
  expect(learned.basis).toContain("newer than any that is known");
  expect(valueOf(learned.dialect.sharedAccess)).toBe(factsOf(dialect)?.sharedAccess?.value);
  expect(learned.dialect.keyOptional.known).toBe(false);
});

const lost = (what: RegExp): Fault =>
  sqlFault("loseTheAnswer", (sql) => (what.test(sql) ? Promise.resolve("lost" as const) : undefined));

test.each(dialects)("what a server of %s does not answer is left to what is known of its version", async (dialect) => {
  for (const what of [/^CREATE NAMESPACE/, /^CREATE TABLE \S+\.asked/, /^CREATE (POLICY|TABLE \S+\.levelled)/]) {
    const { learned } = await ask(dialect, { fault: lost(what) });
    const { from } = factsOf(dialect)?.sharedAccess ?? {};
    expect(learned.dialect.sharedAccess).toMatchObject({ value: factsOf(dialect)?.sharedAccess?.value, from });
    expect(learned.version).toBe(dialect);
  }
});

test("a refusal that says nothing about levels or policies shows neither", async () => {
  const busy = { status: 503, code: "UNAVAILABLE", message: "busy" };
  const { learned } = await ask("0.4.3", { fault: refuseIt("beBusy", /^CREATE POLICY/, busy), version: "1.2.0" });
  expect(learned.dialect.sharedAccess.known).toBe(false);
});
