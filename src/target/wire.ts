/**
 * One exchange with the server: the only layer that touches the network. A plain record of functions, so that a fault
 * can wrap it and a test can write one as an object literal.
 */
import type { Control } from "../control/control.ts";
import type { Kalam } from "../control/kalam.ts";

export interface RawRequest {
  readonly method: string;
  /** Path and query, from the root of the server. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Use a connection of its own, opened for this request and closed after it. */
  readonly ownConnection?: boolean;
  /** Use the connection of this name, one request after the other; it stays open for the next. */
  readonly connection?: string;
}

/**
 * Why no whole answer came.
 * `unreachable`: no connection was made, so the server cannot have seen the request. In every other case it may have.
 */
export type Breakage = "unreachable" | "timeout" | "reset" | "cut" | "malformed" | "tooLarge" | "aborted";

/** Times are milliseconds of the process's monotonic clock (`performance.now()`). */
export type RawAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** Names in lower case; repeated headers are joined with a comma. */
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
      /** Of a named connection: how often it had been opened by then. The server may close it after any answer. */
      readonly opened?: number;
      readonly sentAt: number;
      readonly doneAt: number;
    }
  | {
      readonly kind: "broken";
      readonly because: Breakage;
      /** The cause in the words of the layer that noticed it. */
      readonly detail: string;
      /** Where the status line had come before it broke. */
      readonly status?: number;
      readonly sentAt: number;
      readonly doneAt: number;
    };

export interface Wire {
  exchange(request: RawRequest): Promise<RawAnswer>;
  /** How this server's process can be reached, where it can. */
  readonly control?: Control;
  /** Runs the `kalam` command line against this server, where there is one. */
  readonly kalam?: Kalam;
}
