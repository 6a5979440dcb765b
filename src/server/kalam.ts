/** The `kalam` command line for checks: run with one of the run's own accounts, paced and recorded like a request. */
import type { KalamAddress, KalamOutcome, KalamRun } from "../wire/kalam.ts";
import { truncated } from "../formats/printable.ts";
import { commandText } from "../formats/shell.ts";
import { expiredSentence, triesMax, type Account, type SenderParts } from "./sender.ts";
import type { Wire } from "../wire/wire.ts";

export interface KalamOptions {
  /** The server by default. */
  readonly at?: KalamAddress;
  /**
   * `token` by default: each login with a password costs the server a quarter of a second of hashing. `wrong password`:
   * not the account's.
   */
  readonly entersWith?: "token" | "password" | "wrong password";
  /** Omits --no-color: output to a pipe must be plain anyway. */
  readonly mayColor?: boolean;
  readonly files?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly timeoutMs?: number;
  /** How many statements it will send, for the pacing. */
  readonly statements?: number;
  readonly interrupt?: AbortSignal;
  readonly onStdout?: (soFar: string) => void;
  readonly closeStdout?: KalamRun["closeStdout"];
}

/** The outcome, with the number of its exchange for `sent` in findings. */
export type KalamSaid = KalamOutcome & { readonly exchange: number };

export type RunKalam = (as: Account, args: readonly string[], options?: KalamOptions) => Promise<KalamSaid>;

/** After its login and before the first statement, `kalam` asks for the namespaces and for the server's health. */
const requestsFirst = 2;
const kalamMs = 30_000;
const bannedSentence = "the server has banned this address";
const tooFastSentence = "the server refused it as too fast (429)";

/** Nobody can tell when it sends its requests, so they must all fit into one second. */
function tooMany(requests: number): KalamOutcome {
  return {
    notStarted: `it sends ${requests} requests at once, which is more than --max-rps allows`,
    exitCode: null,
    endedBySignal: null,
    overdue: false,
    stdout: "",
    stderr: "",
    tookMs: 0,
    endedAfterMs: null,
  };
}

/**
 * `kalam` takes passwords and tokens only as arguments, which other processes can see. So `as` must be one of the run's
 * own accounts; `passwordOf` throws for any other.
 */
export function makeKalam(
  kalam: NonNullable<Wire["kalam"]>,
  parts: Pick<SenderParts, "tokens" | "renewal" | "pacer" | "recording" | "signal" | "onRate">,
  passwordOf: (account: Account) => string,
): RunKalam {
  const { tokens, pacer, recording, signal } = parts;
  async function runOnce(as: Account, args: readonly string[], options: KalamOptions): Promise<KalamSaid> {
    signal?.throwIfAborted();
    const { at = "server", statements = 1, timeoutMs = kalamMs, entersWith = "token", mayColor } = options;
    const password = passwordOf(as);
    const byToken = entersWith === "token";
    if (byToken) await parts.renewal?.prepare(as.name);
    const token = tokens.get(as.name) ?? "";
    const secrets = byToken
      ? ["--token", token]
      : ["--user", as.name, "--password", entersWith === "password" ? password : `not-${as.name}`];
    const number = recording.next();
    let free = (): void => undefined;
    if (at === "server") {
      const lanes = ["address", `account:${as.name}`];
      if (!byToken) await pacer.turn([...lanes, "login"], signal);
      const requests = requestsFirst + statements;
      for (let n = 0; n < requests; n += 1) {
        recording.next();
        await pacer.turn(lanes, signal);
      }
      const held = await pacer.hold("run", byToken ? requests : requests + 1, signal);
      if (held === undefined) return { ...tooMany(requests), exchange: number };
      free = held;
    }
    const sentAt = performance.now();
    const { files, input, interrupt, onStdout, closeStdout } = options;
    const outcome = await kalam({
      args: [...secrets, "--no-spinner", ...(mayColor === true ? [] : ["--no-color"]), ...args],
      at,
      timeoutMs,
      ...(files === undefined ? {} : { files }),
      ...(input === undefined ? {} : { input }),
      ...(interrupt === undefined ? {} : { interrupt }),
      ...(onStdout === undefined ? {} : { onStdout }),
      ...(closeStdout === undefined ? {} : { closeStdout }),
      ...(signal === undefined ? {} : { signal }),
    }).finally(free);
    recording.note({
      number,
      method: "kalam",
      path: `at ${at} with a ${entersWith}`,
      as: as.name,
      text: lineOf(args, files ?? {}),
      outcome: kalamText(outcome),
      sentAt,
      doneAt: performance.now(),
    });
    const banned = outcome.stderr.includes("IP_BANNED");
    const limited = at === "server" && /\berror \(429\)|RATE_LIMIT_EXCEEDED|IP_BANNED/i.test(outcome.stderr);
    if (limited) {
      for (const lane of ["run", "address", "login", `account:${as.name}`]) pacer.rest(lane);
      parts.onRate?.(banned ? "IP_BANNED" : "RATE_LIMIT_EXCEEDED");
    }
    signal?.throwIfAborted();
    const said = { ...outcome, exchange: number };
    // What it did before is not known, but it shows nothing about kalam.
    if (limited) return { ...said, notStarted: banned ? bannedSentence : tooFastSentence };
    if (!byToken || at !== "server" || !/\bTOKEN_EXPIRED\b/.test(outcome.stderr)) return said;
    const expiry = await parts.renewal?.afterRefusal(as.name, token, true);
    return expiry === "again" || expiry === "expired" ? { ...said, notStarted: expiredSentence } : said;
  }
  return async (as, args, options = {}) => {
    // What has been watched or cut short cannot be repeated, nor can a script of which a part was executed.
    const { interrupt, onStdout, closeStdout, statements = 1 } = options;
    const once = interrupt ?? onStdout ?? closeStdout;
    let said = await runOnce(as, args, options);
    if (once !== undefined) return said;
    if (said.notStarted === expiredSentence && statements === 1) said = await runOnce(as, args, options);
    for (let tries = 1; tries < triesMax && said.notStarted === tooFastSentence && statements === 1; tries += 1)
      said = await runOnce(as, args, options);
    return said;
  };
}

/** The outcome in one line. */
export function kalamText(outcome: KalamOutcome): string {
  const { notStarted, exitCode, endedBySignal, overdue, stderr, stdout } = outcome;
  if (notStarted !== null) return `could not be started: ${notStarted}`;
  const end = overdue
    ? `still running after ${outcome.tookMs} ms`
    : exitCode === null
      ? `ended by ${endedBySignal ?? "?"}`
      : `exit ${exitCode}`;
  const said = [firstLine("stderr", stderr), firstLine("stdout", stdout)].filter((part) => part !== "");
  return [end, ...said].join(", ");
}

function firstLine(name: string, text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line === "" ? "" : `${name}: ${truncated(line, 200)}`;
}

/** The command as one would type it; the content of a file is shown in place of its name. */
function lineOf(args: readonly string[], files: Readonly<Record<string, string>>): string {
  return args
    .map((word) => {
      const text = Object.hasOwn(files, word) ? files[word] : undefined;
      return text === undefined ? commandText([word]) : `<(printf %s ${commandText([text])})`;
    })
    .join(" ");
}
