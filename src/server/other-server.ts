/** Another server of the run's own, as checks see it: over HTTP, as its root and as accounts that were made there. */
import { logIn } from "../session/login.ts";
import type { Another, AnotherStart, Others } from "../wire/control.ts";
import { makeSender, type Account, type Sender, type SenderParts } from "./sender.ts";

export interface OtherServer extends Sender {
  readonly kind: "running";
  readonly root: Account;
  /** Logs in once, because wrong passwords lock an account; from then on the account can be used. */
  enter(name: string, password: string): Promise<Entry>;
  /** SIGTERM, and SIGKILL if it has not ended after 10 s. The exit code; null where a signal ended it. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** `refused`: the server says that nobody gets in with that password; `unsure`: it was not answered as logins are. */
export type Entry =
  | { readonly kind: "in"; readonly account: Account }
  | { readonly kind: "refused" | "unsure"; readonly why: string };

/** It does not start, or lets nobody in. */
export type NoOtherServer = Extract<Another, { readonly kind: "notReady" }> & { readonly rootRefused?: boolean };

const root = "root";
const loginTries = 20;
const loginEveryMs = 250;

/** Starts it and logs in as its root. Its requests are recorded with those of the run, and are nobody else's business. */
export async function startOther(
  others: Others,
  parts: Pick<SenderParts, "pacer" | "recording" | "timeoutMs" | "signal">,
  start: AnotherStart,
  pause: (ms: number) => Promise<void>,
): Promise<OtherServer | NoOtherServer> {
  const other = await others.start(start);
  if (other.kind === "notReady") return other;
  const { pacer, recording, timeoutMs, signal } = parts;
  const tokens = new Map<string, string>();
  const sender = makeSender({
    wire: { exchange: other.exchange },
    tokens,
    pacer,
    recording,
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  const enter = async (name: string, password: string): Promise<Entry> => {
    const login = await logIn(sender, name, password);
    if (login.kind !== "in") return { kind: login.kind === "denied" ? "refused" : "unsure", why: login.sentence };
    tokens.set(name, login.token);
    return { kind: "in", account: { name, role: login.role } };
  };
  let why = "";
  let rootRefused = false;
  for (let tries = 0; tries < loginTries; tries += 1) {
    const entry = await enter(root, other.rootPassword);
    if (entry.kind === "in") {
      const { stop, kill } = other;
      return { kind: "running", root: entry.account, ...sender, enter, stop, kill };
    }
    ({ why } = entry);
    // A refusal is not asked again: that would lock the account.
    rootRefused = entry.kind === "refused";
    if (rootRefused) break;
    await pause(loginEveryMs);
  }
  await other.stop();
  return { kind: "notReady", why, ended: false, lastWords: "", rootRefused };
}
