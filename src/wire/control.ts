/** How a server's process can be reached. Part of the wire, so that a fault can wrap it, too. */

/** Settings as a server's file has them: `server.port`, `logging.level`. */
export type SettingChanges = Readonly<Record<string, string | number | boolean>>;

/**
 * What to start a further server from. In text values `{folder}` stands for a fresh folder, `{file}` for the path of a
 * regular file in it.
 */
export type TrialSettings =
  | { readonly kind: "noFile" }
  /** The whole file, as it is. */
  | { readonly kind: "text"; readonly text: string }
  /** A file that is right but for these. */
  | { readonly kind: "changed"; readonly changes: SettingChanges };

/** What became of a server started on trial. It is stopped again before this is told. */
export interface TrialOutcome {
  /** It answered HTTP on the port it was given. */
  readonly answered: boolean;
  /** Its exit code where it ended by itself; null where it was still running when the time was up. */
  readonly exitCode: number | null;
  readonly tookMs: number;
  /** The first 4,000 characters of each. */
  readonly stderr: string;
  readonly stdout: string;
  /** After its end something still answered on its port. */
  readonly leftListening: boolean;
}

export interface Control {
  readonly kind: "process";
  /** The port that the server under check listens on. */
  readonly port: number;
  /** Starts a further server of the same binary on loopback, in a fresh folder, and stops it as soon as it has answered. */
  trial(settings: TrialSettings, withinMs: number): Promise<TrialOutcome>;
}
