/** The one writer: everything that leaves the process goes through it, so that no secret does. */
import { printable } from "../formats/printable.ts";
import { Redactor } from "../session/redaction.ts";

export interface OutputFlags {
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly debug?: boolean;
  readonly color?: string;
  readonly ascii?: boolean;
  /** commander's name for --no-progress. */
  readonly progress?: boolean;
}

export class Output {
  readonly redactor = new Redactor();
  readonly #flags: OutputFlags;
  readonly #environment: NodeJS.ProcessEnv;
  /** The progress line that stands on the terminal now. */
  #line = "";

  constructor(flags: OutputFlags, environment: NodeJS.ProcessEnv) {
    this.#flags = flags;
    this.#environment = environment;
  }

  /** The report, and nothing else. */
  out(text: string): void {
    this.#clear();
    process.stdout.write(this.redactor.redact(text));
  }

  /** For people who look on: never with -q. */
  tell(text: string): void {
    if (this.#flags.quiet === true) return;
    this.#clear();
    process.stderr.write(`${this.#plain(text)}\n`);
  }

  /** More for people who look closely (-v). */
  detail(text: string): void {
    if (this.#flags.verbose === true || this.#flags.debug === true) this.tell(text);
  }

  /** Every exchange (--debug). */
  trace(text: string): void {
    if (this.#flags.debug === true) this.tell(text);
  }

  /** What went wrong; with -q, too. */
  complain(text: string): void {
    this.#clear();
    process.stderr.write(`kalam-ready: ${this.#plain(text)}\n`);
  }

  /** The one line that changes on a terminal; elsewhere nothing. */
  progress(text: string): void {
    if (!this.#mayProgress() || !process.stderr.isTTY) return;
    const width = (process.stderr.columns ?? 80) - 1;
    this.#line = this.#plain(text).slice(0, width);
    process.stderr.write(`\r\u001b[K${this.#line}`);
  }

  /** One line for a finished check, where no line can be changed: in pipelines and files. */
  finished(text: string): void {
    if (this.#mayProgress() && !process.stderr.isTTY) this.tell(text);
  }

  done(): void {
    this.#clear();
  }

  /** 0 for none up to 3 for true colour: --color, then NO_COLOR, FORCE_COLOR, TERM and whether it is a terminal. */
  get colors(): 0 | 1 | 2 | 3 {
    const { color = "auto" } = this.#flags;
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

  /** Columns of the terminal that the report goes to; undefined where it goes elsewhere. */
  get width(): number | undefined {
    return process.stdout.isTTY ? (process.stdout.columns ?? 80) : undefined;
  }

  /** On stderr stand words of the server and names that it must refuse, and nothing coloured. */
  #plain(text: string): string {
    return printable(this.redactor.redact(text));
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

/**
 * A reader that has seen enough (`| head -1`) closes the pipe. That is no failure of ours: what is left is not written,
 * and the exit code stays the verdict's.
 */
export function surviveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
