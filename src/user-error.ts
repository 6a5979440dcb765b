/** Errors that a user can put right, each with the exit code that it leads to. Every other error is a defect of kalam-ready. */
import type { ExitName } from "./exit.ts";

/** What an error is about: the flag or key, the word that was not understood. Never a secret. */
export type ErrorData = Readonly<Record<string, string | number>>;

/** `code` says what is wrong and does not change with the words of the message, which is for people. */
export abstract class UserError<Code extends string = string> extends Error {
  abstract readonly exit: ExitName;
  readonly code: Code;
  readonly data: ErrorData;

  constructor(code: Code, message: string, data: ErrorData = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.data = data;
  }

  /** The message as `--debug` shows it, with the code. */
  get detail(): string {
    return `${this.message} [${this.code}]`;
  }
}
