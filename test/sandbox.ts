/** The sandbox, and a session on it, for tests. */
import { kalamOf } from "../src/control/kalam.ts";
import type { OwnServer } from "../src/control/process.ts";
import { httpWire, type HttpWire } from "../src/wire/http.ts";
import { postgresOf } from "../src/wire/postgres/client.ts";
import { cellText } from "../src/wire/json.ts";
import { Ledger } from "../src/session/ledger.ts";
import { Recording } from "../src/session/recording.ts";
import { Redactor } from "../src/session/redaction.ts";
import { newRunId } from "../src/session/scratch.ts";
import { openSession, type Session } from "../src/session/session.ts";
import { sandboxProgram } from "../src/commands/sandbox.ts";

export { startSandbox } from "../src/commands/sandbox.ts";
export const sandboxBinary: string = sandboxProgram("kalam-sandbox.js");

/** A stand-in for the kalam command line. */
export const kalamStandIn: string = sandboxProgram("kalam-stand-in.js");

const noLedger = { made: () => {}, gone: () => {} };

export interface TestSession {
  readonly session: Session;
  readonly wire: HttpWire;
}

export async function openTestSession(server: OwnServer, ledgerFolder: string): Promise<TestSession> {
  const http = httpWire(server.url, { connections: 32 });
  const wire = {
    ...http,
    postgres: postgresOf(),
    control: server.control,
    kalam: kalamOf(kalamStandIn, server.url, noLedger),
  };
  const run = newRunId();
  const session = await openSession({
    run,
    url: server.url,
    wire,
    credentials: { kind: "password", user: "root", password: server.rootPassword },
    redactor: new Redactor(),
    recording: new Recording(),
    openLedger: () => new Ledger(ledgerFolder, { run, url: server.url }),
    timeoutMs: 15_000,
  });
  if ("kind" in session) throw new Error(session.sentence);
  return { session, wire };
}

/** What the server lists of runs of ours. */
export async function leftOn(server: OwnServer, ledgerFolder: string): Promise<string[]> {
  const { session, wire } = await openTestSession(server, ledgerFolder);
  try {
    const names: string[] = [];
    for (const [view, name, also] of [
      ["namespaces", "namespace_id", ""],
      ["topics", "topic_id", ""],
      ["users", "user_id", " AND deleted_at IS NULL"],
    ] as const) {
      const answer = await session.sender.sql(
        session.login,
        `SELECT ${name} FROM system.${view} WHERE ${name} LIKE 'kr%'${also} LIMIT 500`,
      );
      if (answer.kind !== "ok") throw new Error(`${view} cannot be listed`);
      names.push(...(answer.results[0]?.rows ?? []).map(([cell]) => cellText(cell)));
    }
    return names;
  } finally {
    session.ledger.close();
    await wire.close();
  }
}
