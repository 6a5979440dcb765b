/**
 * One exchange with the server: the only layer that touches the network. A plain record of functions, so that a fault
 * can wrap it and a test can write one as an object literal.
 */
import type { Control } from "./control.ts";
import type { Kalam } from "./kalam.ts";

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

export interface UpgradeRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Until the upgrade has been answered, the making of the connection included. */
  readonly timeoutMs: number;
  /** Gives up while it is being opened; what is open is the caller's to end. */
  readonly signal?: AbortSignal;
}

/** What came on a socket: a text, or bytes of a binary frame. */
export type RawFrame =
  | { readonly text: string; readonly at: number }
  | { readonly bytes: Uint8Array; readonly at: number };

/** Code 1006: it ended without a close frame. */
export interface RawClose {
  readonly code: number;
  readonly reason: string;
  readonly at: number;
}

/** Told of everything that comes on a socket that was opened, in order. A fault can stand between it and the server. */
export interface SocketListener {
  frame(frame: RawFrame): void;
  closed(close: RawClose): void;
}

export interface RawSocket {
  send(data: string | Uint8Array): void;
  /** Bytes as they are, in no frame: for frames that nobody should send. */
  write(bytes: Uint8Array): void;
  /** A ping of the protocol below: no message, and no version of the server refuses it. */
  ping(): void;
  /** In good order, with a close frame. */
  close(code?: number, reason?: string): void;
  /** Ends the connection with a TCP reset. */
  reset(): void;
  /** Sends half a frame and ends the connection. */
  cutMidFrame(): void;
  /** Reads nothing any more; what comes piles up on the way. */
  pause(): void;
  resume(): void;
}

export type SocketOutcome =
  | { readonly kind: "open"; readonly socket: RawSocket; readonly at: number }
  | { readonly kind: "failed"; readonly because: Breakage; readonly detail: string; readonly status?: number };

export interface Wire {
  exchange(request: RawRequest): Promise<RawAnswer>;
  /** A WebSocket. Absent on wires that are made for HTTP alone. */
  readonly socket?: (request: UpgradeRequest, listener: SocketListener) => Promise<SocketOutcome>;
  /** How this server's process can be reached, where it can. */
  readonly control?: Control;
  /** Runs the `kalam` command line against this server, where there is one. */
  readonly kalam?: Kalam;
}
