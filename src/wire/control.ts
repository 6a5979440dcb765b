/** Control over the server's process. Part of the wire, so that faults can wrap it. */

/** Settings by their dotted names: `server.port`, `logging.level`. */
export type SettingChanges = Readonly<Record<string, string | number | boolean>>;

/**
 * Settings for another server. In string values `{folder}` stands for a fresh folder and `{file}` for the path of a
 * regular file in it.
 */
export type TrialSettings =
  | { readonly kind: "noFile" }
  /** The text of the whole file. */
  | { readonly kind: "text"; readonly text: string }
  /** A valid file except for these settings. */
  | { readonly kind: "changed"; readonly changes: SettingChanges };

/** The outcome of starting a server on trial. By then it has been stopped. */
export interface TrialOutcome {
  /** Whether it answered HTTP on its port. */
  readonly answered: boolean;
  /** Its exit code if it ended by itself; null if it was still running when the time was up. */
  readonly exitCode: number | null;
  readonly tookMs: number;
  /** The first 4,000 characters of each. */
  readonly stderr: string;
  readonly stdout: string;
  /** Whether something still answered on its port after its end. */
  readonly leftListening: boolean;
}

export interface Control {
  readonly kind: "process";
  /** The port that the server under check listens on. */
  readonly port: number;
  /** Starts another server from the same binary on loopback, in a fresh folder, and stops it as soon as it has answered. */
  trial(settings: TrialSettings, withinMs: number): Promise<TrialOutcome>;
}
