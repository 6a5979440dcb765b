/** How the `kalam` command line is run. Part of the wire, so that faults can wrap it. */

/**
 * The address it is given: the server under check, a port without a server, or a port that accepts connections and
 * never answers.
 */
export type KalamAddress = "server" | "nobody" | "silence";

export interface KalamRun {
  /** Passed without a shell, after the address. */
  readonly args: readonly string[];
  readonly at: KalamAddress;
  /** Files in its working folder by name, for `-f`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Its stdin; empty where absent. */
  readonly input?: string;
  /** It is killed if it still runs after this time. */
  readonly timeoutMs: number;
  /** Sends SIGINT (Ctrl-C) when aborted. */
  readonly interrupt?: AbortSignal;
  /** Called with everything on stdout so far, each time more arrives. */
  readonly onStdout?: (soFar: string) => void;
  /** Closes stdout from the start, or after the first output (`kalam … | head -1`). */
  readonly closeStdout?: "at once" | "after the first";
  /** Kills it. */
  readonly signal?: AbortSignal;
}

export interface KalamOutcome {
  /** Why it could not be started; then the rest is meaningless. */
  readonly notStarted: string | null;
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
  readonly endedBySignal: string | null;
  /** It was still running when the time was up, and was killed. */
  readonly overdue: boolean;
  /** The first 256 KiB of each stream. */
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
  /** From the interrupt or the closing of stdout to its end; null without either. */
  readonly endedAfterMs: number | null;
}

export type Kalam = (run: KalamRun) => Promise<KalamOutcome>;
