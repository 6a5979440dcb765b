/** The `kalam` command line for checks: run with one of the run's own accounts, paced and recorded like a request. */
import type { KalamAddress, KalamOutcome, KalamRun } from "../wire/kalam.ts";
import { truncated } from "../formats/printable.ts";
import { commandText } from "../formats/shell.ts";
import { restMs, type Account, type SenderParts } from "./sender.ts";
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

/**
 * `kalam` takes passwords and tokens only as arguments, which other processes can see. So `as` must be one of the run's
 * own accounts; `passwordOf` throws for any other.
 */
export function makeKalam(
  kalam: NonNullable<Wire["kalam"]>,
  parts: Pick<SenderParts, "tokens" | "pacer" | "recording" | "signal" | "onRate">,
  passwordOf: (account: Account) => string,
): RunKalam {
  const { tokens, pacer, recording, signal } = parts;
  return async (as, args, options = {}) => {
    signal?.throwIfAborted();
    const { at = "server", statements = 1, timeoutMs = kalamMs, entersWith = "token", mayColor } = options;
    const password = passwordOf(as);
    const byToken = entersWith === "token";
    const secrets = byToken
      ? ["--token", tokens.get(as.name) ?? ""]
      : ["--user", as.name, "--password", entersWith === "password" ? password : `not-${as.name}`];
    const number = recording.next();
    if (at === "server") {
      const lanes = ["run", "address", `account:${as.name}`];
      if (!byToken) await pacer.turn([...lanes, "login"], signal);
      for (let n = 0; n < requestsFirst + statements; n += 1) {
        recording.next();
        await pacer.turn(lanes, signal);
      }
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
    });
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
    if (/\berror \(429\)|RATE_LIMIT_EXCEEDED|IP_BANNED/i.test(outcome.stderr)) {
      for (const lane of ["run", "address", "login", `account:${as.name}`]) pacer.rest(lane, restMs);
      parts.onRate?.(outcome.stderr.includes("IP_BANNED") ? "IP_BANNED" : "RATE_LIMIT_EXCEEDED");
    }
    signal?.throwIfAborted();
    return { ...outcome, exchange: number };
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
