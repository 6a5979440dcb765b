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
    this.out(`${this.#oneLine(text)}\n`);
  }

  /** The report, and nothing else. */
  out(text: string): void {
    this.#clear();
    process.stdout.write(this.redactor.redact(text));
  }

  /** For people who watch; not with -q. */
  tell(text: string): void {
    if (this.#flags.quiet === true) return;
    this.#clear();
    process.stderr.write(`${this.#plain(text)}\n`);
  }

  /** More detail (-v). */
  detail(text: string): void {
    if (this.#flags.verbose === true || this.#flags.debug === true) this.tell(this.#oneLine(text));
  }

  /** Every exchange (--debug). */
  trace(text: string): void {
    if (this.#flags.debug === true) this.tell(this.#oneLine(text));
  }

  /** What went wrong; even with -q. */
  complain(text: string): void {
    this.#clear();
    process.stderr.write(`kalam-ready: ${this.#oneLine(text)}\n`);
  }

  /** The line that is rewritten on a terminal; elsewhere nothing. */
  progress(text: string): void {
    if (!this.#mayProgress() || !process.stderr.isTTY) return;
    const width = (process.stderr.columns ?? 80) - 1;
    this.#line = this.#oneLine(text).slice(0, width);
    process.stderr.write(`\r\u001b[K${this.#line}`);
  }

  /** One line for a finished check, where no line can be rewritten: in pipelines and files. */
  finished(text: string): void {
    if (this.#mayProgress() && !process.stderr.isTTY) this.tell(this.#oneLine(text));
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

  #oneLine(text: string): string {
    return onOneLine(this.redactor.redact(text));
  }

  #mayProgress(): boolean {
    return this.#flags.quiet !== true && this.#flags.progress !== false;
  }

  #clear(): void {
    if (this.#line === "") return;
    process.stderr.write("\r\u001b[K");
    this.#line = "";
  }
}

/** An error message, where there is no Output. Never throws. */
export function lastWords(text: string, prefix = "kalam-ready: "): void {
  try {
    process.stderr.write(`${prefix}${printable(redactor.redact(text))}\n`);
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
