/** From a profile to a session: starts the server if it is to be started, logs in, and cleans up at the end. */
import { kalamOf } from "../control/kalam.ts";
import { attachedControl } from "../control/attached.ts";
import type { FolderBook } from "../control/folder.ts";
import { startServer, StartError, type OwnServer } from "../control/process.ts";
import { durationText } from "../duration.ts";
import type { Ended } from "../exit.ts";
import type { Profile } from "../profile/effective.ts";
import { cleanUpResult, type CleanUp } from "../own-results.ts";
import { UsageError } from "../profile/usage.ts";
import { ControlError, type Control } from "../wire/control.ts";
import { httpWire } from "../wire/http.ts";
import { postgresOf } from "../wire/postgres/client.ts";
import type { PostgresPlace } from "../wire/postgres/postgres.ts";
import { NotOwnError } from "../session/folders.ts";
import { Ledger, ledgerFolder } from "../session/ledger.ts";
import { claimsOf } from "../session/login.ts";
import type { Recording } from "../session/recording.ts";
import { prefixOf } from "../session/scratch.ts";
import type { Credentials } from "../session/entering.ts";
import { openSession, type Session } from "../session/session.ts";
import { sweep } from "../session/sweep.ts";
import type { Way } from "../wire/way.ts";
import type { Wire } from "../wire/wire.ts";
import { cleanupCommand } from "./again.ts";
import { CannotWriteError, programPath, settingsPath } from "./files.ts";
import type { Output } from "./output.ts";

const connections = 32;
/** One request may take this long before it counts as unanswered. */
const requestMs = 15_000;
const startWithinMs = 60_000;
/** The clean-up of a run; a server that is slow, and goes on dropping, gets the longer one where nobody waits for the end. */
const sweepWithinMs = 10_000;
const sweepAtMostMs = 60_000;

export interface Attached {
  readonly session: Session;
  readonly wire: Wire;
  readonly url: string;
  /** The PostgreSQL port of a server of ours, where it was given one. */
  readonly ownPostgres: PostgresPlace | undefined;
  /** Removes what the run created, unless it is to be kept, and returns what came of it. Runs once, however often it is called. */
  /** `hurry`: somebody waits for the end. */
  cleanUp(options: { keep: boolean; hurry: boolean }): Promise<CleanUp>;
  /** Cleans up if that was not done, closes the connections, and stops the server if this run started it. */
  detach(): Promise<void>;
}

export interface AttachParts {
  readonly profile: Pick<
    Profile,
    | "url"
    | "serverBin"
    | "olderServerBin"
    | "serverConfig"
    | "control"
    | "allow"
    | "kalamBin"
    | "maxPerSecond"
    | "budgetMs"
    | "way"
  >;
  /** A server that is started keeps its rate limits, because they are to be tested. */
  readonly testsRates?: boolean;
  /** A server of ours that is running already; it is not stopped at the end. */
  readonly server?: OwnServer | undefined;
  readonly run: string;
  /** To a server that somebody else runs; ours are reached directly. */
  readonly way?: Way | undefined;
  /** Not needed for a server of ours. */
  readonly credentials: Credentials | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly output: Output;
  readonly recording: Recording;
  readonly signal: AbortSignal;
}

/** `ended` if there is nothing to check, with the exit that it leads to. */
export async function attach(
  parts: AttachParts,
): Promise<Attached | { readonly ended: Ended; readonly url: string | null }> {
  const { profile, run, output, recording } = parts;
  let own = parts.server;
  let ledger: Ledger | undefined;
  const openLedger = (url: string): Ledger => (ledger ??= newLedger(parts, url));
  /** Enters the folders of processes that we start into the ledger, and opens it for the first one. */
  const book = (url: string): FolderBook => ({
    made: (name) => openLedger(url).enter({ kind: "folder", name }),
    gone: (name) => openLedger(url).strike({ kind: "folder", name }),
  });
  if (own === undefined && profile.serverBin !== undefined) {
    output.progress(`starting ${profile.serverBin}`);
    try {
      const config =
        profile.serverConfig === undefined ? {} : { config: settingsPath("--server-config", profile.serverConfig) };
      const { signal } = parts;
      const forSpeed = parts.testsRates === true ? "exceptRates" : "all";
      const binary = programPath("--server-bin", profile.serverBin);
      const older =
        profile.olderServerBin === undefined
          ? {}
          : { olderBinary: programPath("--older-server-bin", profile.olderServerBin) };
      own = await startServer(binary, {
        ...config,
        ...older,
        forSpeed,
        withinMs: startWithinMs,
        signal,
        book: book(""),
      });
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      ledger?.close();
      return { ended: { exit: "unreachable", sentence: error.message }, url: null };
    }
  }
  if (own !== undefined) output.redactor.add(own.rootPassword);
  const url = own?.url ?? profile.url ?? "";
  const credentials: Credentials | undefined =
    own === undefined ? parts.credentials : { kind: "password", user: "root", password: own.rootPassword };
  if (credentials === undefined) throw new Error("a running server needs credentials");
  const http = httpWire(url, {
    connections,
    ...(own === undefined && parts.way !== undefined ? { way: parts.way } : {}),
  });
  const detach = async (): Promise<void> => {
    await http.close();
    try {
      if (parts.server === undefined) await own?.stop();
      // Last of all: a server's folder is struck off once it is removed.
      ledger?.close();
    } catch (error) {
      if (ledger?.failure === undefined) throw error;
    }
    if (ledger?.failure !== undefined) throw cannotWrite(parts, ledger.failure);
  };
  let session: Session | undefined;
  let wire: Wire;
  let opened: Awaited<ReturnType<typeof openUnlessAborted>>;
  try {
    const control = own?.control ?? (await controlOf(profile, http, () => session?.parts.renewal?.restarted()));
    wire = {
      ...http,
      postgres: postgresOf(own === undefined ? parts.way : undefined),
      ...(control === undefined ? {} : { control }),
      ...(profile.kalamBin === undefined
        ? {}
        : { kalam: kalamOf(programPath("--kalam-bin", profile.kalamBin), url, book(url)) }),
    };
    opened = await openUnlessAborted(parts.signal, {
      run,
      url,
      wire,
      credentials,
      redactor: output.redactor,
      recording,
      openLedger: () => openLedger(url),
      timeoutMs: requestMs,
      connections,
      budgetMs: profile.budgetMs,
      ...(profile.maxPerSecond === undefined ? {} : { maxPerSecond: profile.maxPerSecond }),
    });
  } catch (error) {
    // Open connections and a server of ours would keep the process alive.
    await detach();
    throw error;
  }
  if ("kind" in opened) {
    await detach();
    const exit = opened.kind === "notKalamDb" ? "cannotTell" : opened.kind;
    return { ended: { exit, sentence: `${url}: ${opened.sentence}` }, url };
  }
  session = opened;
  if (credentials.kind === "token") {
    const warning = tooShortFor(credentials.token, profile.budgetMs);
    if (warning !== undefined) output.complain(warning);
  }
  let cleaned: Promise<CleanUp> | undefined;
  const cleanUp: Attached["cleanUp"] = async ({ keep, hurry }) =>
    await (cleaned ??= cleanUpRun(session, keep ? cleanupCommand(profile, url, parts.run) : undefined, hurry));
  return {
    session,
    wire,
    url,
    ownPostgres: own?.postgres,
    cleanUp,
    async detach() {
      try {
        // Of proofs, and where a defect interrupted the run: the server must not be left with its objects.
        if (cleaned === undefined)
          sayWhatIsLeft(await cleanUp({ keep: false, hurry: parts.signal.aborted }), parts, url);
      } finally {
        await detach();
      }
    },
  };
}

/** Only where it may be used: asking docker is the first step of using it. Throws UsageError. */
async function controlOf(
  { control, allow }: AttachParts["profile"],
  { exchange }: Wire,
  onStart: () => void,
): Promise<Control | undefined> {
  if (control === undefined || !allow.includes("process")) return undefined;
  try {
    return await attachedControl(control, exchange, onStart);
  } catch (error) {
    if (error instanceof ControlError) throw new UsageError("controlFailed", error.message);
    throw error;
  }
}

/** A token cannot be renewed, so the run says at the start what will be unknown at the end. */
function tooShortFor(token: string, budgetMs: number): string | undefined {
  const { exp } = claimsOf(token);
  const leftMs = typeof exp === "number" ? exp * 1000 - Date.now() : Infinity;
  if (leftMs >= budgetMs) return undefined;
  return `the token expires in ${durationText(Math.max(0, Math.round(leftMs / 1000) * 1000))}, and the budget is ${durationText(budgetMs)}: checks that are not done by then will be unknown; use a password, which can log in again, or a token that lasts longer`;
}

/** A server may take long to answer a login. */
async function openUnlessAborted(
  signal: AbortSignal,
  session: Parameters<typeof openSession>[0],
): ReturnType<typeof openSession> {
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new Error("interrupted before the login was answered"));
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  const openLedger = (): Ledger => {
    signal.throwIfAborted();
    return session.openLedger();
  };
  try {
    return await Promise.race([openSession({ ...session, openLedger }), aborted]);
  } catch (error) {
    if (!signal.aborted) throw error;
    return { kind: "unreachable", sentence: error instanceof Error ? error.message : String(error) };
  }
}

function sayWhatIsLeft(cleanUp: CleanUp, { output, profile, run }: AttachParts, url: string): void {
  if (cleanUp.kind !== "left" && cleanUp.kind !== "unclear") return;
  const { sentence } = cleanUpResult(cleanUp);
  output.complain(`not everything was removed: ${sentence}; ${cleanupCommand(profile, url, run)} removes what is left`);
}

/** Throws CannotWriteError: nothing is created that could not be found again. */
function newLedger(parts: AttachParts, url: string): Ledger {
  try {
    return new Ledger(ledgerFolder(parts.environment), { run: parts.run, url });
  } catch (error) {
    throw cannotWrite(parts, error);
  }
}

function cannotWrite({ environment }: AttachParts, error: unknown): CannotWriteError {
  const folder = ledgerFolder(environment);
  if (error instanceof NotOwnError) return new CannotWriteError("stateFolderNotOwn", error.message, { folder });
  const why = (error as NodeJS.ErrnoException).code ?? String(error);
  const message = `cannot write the ledger in ${folder}: ${why}; set KALAM_READY_STATE to another folder`;
  return new CannotWriteError("ledgerNotWritable", message, { folder });
}

/** `laterBy`: the command that is to remove what is kept for now. */
async function cleanUpRun(session: Session, laterBy: string | undefined, hurry: boolean): Promise<CleanUp> {
  const { ledger, run, sender, login } = session;
  const notRevived = await session.parts.wire.control?.lifecycle?.revive();
  if (notRevived !== undefined)
    return {
      kind: "unclear",
      sentence: `this run stopped the server, and it could not be started again: ${notRevived}`,
    };
  if (ledger.names === 0) return { kind: "none" };
  if (laterBy !== undefined) return { kind: "kept", sentence: `kept on request; ${laterBy} removes it` };
  session.parts.pacer.endRests(performance.now());
  const named = ledger.left().flatMap(({ kind, name }) => (kind === "namespace" ? [name] : []));
  const topics = ledger.left().some(({ kind }) => kind === "topic");
  const swept = await sweep(sender, login, {
    prefix: prefixOf(run),
    named,
    topics,
    withinMs: sweepWithinMs,
    ...(hurry ? {} : { atMostMs: sweepAtMostMs }),
  });
  if (swept.kind !== "clean") return swept;
  try {
    for (const entry of ledger.left()) if (entry.kind !== "folder") ledger.strike(entry);
  } catch {
    // The ledger keeps its failure for the end of the run; what was left is gone all the same.
  }
  return { kind: "clean", names: ledger.names };
}
