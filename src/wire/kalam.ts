/** How the `kalam` command line is run. Part of the wire, so that a fault can wrap it, too. */

/**
 * Which address it is given: the server under check; a port that nobody listens on; or one where connections are
 * taken and nothing is ever said.
 */
export type KalamAddress = "server" | "nobody" | "silence";

export interface KalamRun {
  /** Arguments as they are, never through a shell. The address is put in front of them. */
  readonly args: readonly string[];
  readonly at: KalamAddress;
  /** Files in the folder that it runs in, by name: what `-f` reads. */
  readonly files?: Readonly<Record<string, string>>;
  /** What it reads on stdin; nothing where absent. */
  readonly input?: string;
  /** It is killed when it still runs after this time. */
  readonly timeoutMs: number;
  /** SIGINT is sent when this is aborted: Ctrl-C. */
  readonly interrupt?: AbortSignal;
  /** Told of everything on stdout so far, each time more has come. */
  readonly onStdout?: (soFar: string) => void;
  /** Nobody reads stdout: from the beginning, or after the first of it has come (`kalam … | head -1`). */
  readonly closeStdout?: "at once" | "after the first";
  /** Kills it. */
  readonly signal?: AbortSignal;
}

export interface KalamOutcome {
  /** Why it could not be started at all; the rest says nothing then. */
  readonly notStarted: string | null;
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly endedBySignal: string | null;
  /** Still running when the time was up: we killed it. */
  readonly overdue: boolean;
  /** The first 256 KiB of each. */
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
  /** From the interrupt, or from the closing of stdout, to its end. Null where there was neither. */
  readonly endedAfterMs: number | null;
}

export type Kalam = (run: KalamRun) => Promise<KalamOutcome>;
