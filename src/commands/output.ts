/** The only writer: all output of the process goes through it, so that secrets can be redacted. */
import { isatty } from "node:tty";
import { exits } from "../exit.ts";
import { onOneLine, printable } from "../formats/printable.ts";
import { flagName, settings, type Flags, type outputSettings } from "../profile/settings.ts";
import { readValue } from "../profile/usage.ts";
import { Redactor } from "../session/redaction.ts";

export type OutputFlags = Pick<Flags, (typeof outputSettings)[number]>;

/** One for the process: what ends it may have to be printed where no command is at hand. */
const redactor = new Redactor();

export class Output {
  readonly redactor: Redactor = redactor;
  readonly #flags: OutputFlags;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #color: "auto" | "always" | "never";
  /** The progress line on the terminal. */
  #line = "";

  /** Throws UsageError. */
  constructor(flags: OutputFlags, environment: NodeJS.ProcessEnv) {
    this.#flags = flags;
    this.#color = readValue(flagName("color"), flags.color ?? settings.color.fallback, settings.color.kind);
    this.#environment = environment;
    for (const { variable } of [settings.password, settings.token]) redactor.add(environment[variable] ?? "");
  }

  /** One line of output that may contain text of the server. */
  line(text: string): void {
    this.document(`${this.oneLine(text)}\n`);
  }

  /**
   * A finished document, or a part of one. Its values are masked before they are put into it: a mask over the document could
   * hide the words and marks that make it red, because a server chooses the tokens it gives out.
   */
  document(text: string): void {
    this.#clear();
    writeDocument(text);
  }

  /** A value for a document that people read: masked, printable and on one line. */
  oneLine(text: string): string {
    return onOneLine(this.redactor.redact(text));
  }

  /** For people who watch; not with -q. */
  tell(text: string): void {
    if (this.#flags.quiet === true) return;
    this.#clear();
    process.stderr.write(`${this.#plain(text)}\n`);
  }

  /** The same for text that may come from the server: on one line. */
  tellLine(text: string): void {
    this.tell(this.oneLine(text));
  }

  /** More detail (-v). */
  detail(text: string): void {
    if (this.isVerbose) this.tellLine(text);
  }

  /** Every exchange (--debug). */
  trace(text: string): void {
    if (this.#flags.debug === true) this.tellLine(text);
  }

  /** What went wrong; even with -q. */
  complain(text: string): void {
    this.#clear();
    process.stderr.write(`kalam-ready: ${this.oneLine(text)}\n`);
  }

  /** How progress is shown: in one line that is rewritten, or, in pipelines and files, in lines of their own. */
  get progressForm(): "line" | "log" | "none" {
    if (this.#flags.quiet === true || this.#flags.progress === false) return "none";
    // Some CI systems give a terminal, and keep every version of the line.
    const inCi = !["", "0", "false"].includes(this.#environment["CI"] ?? "");
    return process.stderr.isTTY && this.#environment["TERM"] !== "dumb" && !inCi ? "line" : "log";
  }

  /** Whether more than news is wanted on stderr. */
  get isVerbose(): boolean {
    return this.#flags.verbose === true || this.#flags.debug === true;
  }

  /** The line that is rewritten on a terminal; elsewhere nothing. */
  progress(text: string): void {
    if (this.progressForm !== "line") return;
    const width = (process.stderr.columns ?? 80) - 1;
    const line = this.oneLine(text);
    this.#line = line.length > width ? `${line.slice(0, width - 3)}...` : line;
    process.stderr.write(`\r\u001b[K${this.#line}`);
  }

  done(): void {
    this.#clear();
  }

  /** From 0 for none to 3 for true color: by --color, then NO_COLOR, FORCE_COLOR, TERM and whether it is a terminal. */
  get colors(): 0 | 1 | 2 | 3 {
    const color = this.#color;
    const { NO_COLOR: no, FORCE_COLOR: force, TERM: term, COLORTERM: trueColor } = this.#environment;
    const best = trueColor === "truecolor" ? 3 : /256/.test(term ?? "") ? 2 : 1;
    if (color !== "auto") return color === "always" ? best : 0;
    if (no !== undefined && no !== "") return 0;
    if (force !== undefined && force !== "") return force === "0" || force === "false" ? 0 : best;
    return process.stdout.isTTY && term !== "dumb" ? best : 0;
  }

  get ascii(): boolean {
    return this.#flags.ascii === true || this.#environment["TERM"] === "dumb" || this.#environment["LC_ALL"] === "C";
  }

  /** Columns of the terminal that the report goes to; undefined if it goes elsewhere. */
  get width(): number | undefined {
    return process.stdout.isTTY ? (process.stdout.columns ?? 80) : undefined;
  }

  /** Nothing on stderr is colored, and what came from the server may contain control characters. */
  #plain(text: string): string {
    return printable(this.redactor.redact(text));
  }

  #clear(): void {
    if (this.#line === "") return;
    process.stderr.write("\r\u001b[K");
    this.#line = "";
  }
}

/** A value for a document, where there is no Output. */
export function masked(text: string): string {
  return redactor.redact(text);
}

/** A finished document whose values are masked, where there is no Output. */
export function writeDocument(text: string): void {
  process.stdout.write(text);
}

/** An error message, where there is no Output. Never throws. */
export function lastWords(text: string, prefix = "kalam-ready: "): void {
  try {
    process.stderr.write(`${prefix}${printable(masked(text))}\n`);
  } catch {
    // Nobody can be told.
  }
}

const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));

/** Node resets its terminal when it exits, and aborts where the terminal is gone: the signal for that ends it instead. */
export function leaveDeadTerminal(): void {
  if (terminals.some((descriptor) => !isatty(descriptor))) process.kill(process.pid, "SIGHUP");
}

/**
 * A reader may close the pipe early (`| head -1`), and a terminal may be gone: the rest is not written, and the exit is
 * still the verdict's. Where stdout is a file that cannot be written, the report is lost, and the exit says so. Nothing
 * that happens to stderr changes the exit.
 */
export function surviveBrokenStreams(): void {
  let lost: string | undefined;
  process.stdout.on("error", ({ code = "" }: NodeJS.ErrnoException) => {
    const nobodyReads = code === "EPIPE" || code === "ECONNRESET" || (code === "EIO" && process.stdout.isTTY);
    if (!nobodyReads) lost ??= code;
  });
  process.stderr.on("error", () => {});
  process.on("exit", (code) => {
    if (lost === undefined || code === exits.internal.code) return;
    lastWords(`cannot write to stdout: ${lost}`);
    process.exitCode = exits.cannotWrite.code;
  });
}
