/**
 * The only layer that touches the network. A plain record of functions, so that a fault can wrap it and a test can write
 * one as an object literal.
 */
import type { Control } from "./control.ts";
import type { Kalam } from "./kalam.ts";
import type { Postgres } from "./postgres/postgres.ts";

export interface RawRequest {
  readonly method: string;
  /** Path and query, from the root of the server. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Use a new connection for this request alone, and close it afterwards. */
  readonly ownConnection?: boolean;
  /** Use the connection of this name, one request at a time; it stays open for the next. */
  readonly connection?: string;
  /**
   * Sends the start of a long body and waits this long before the rest. A server that answers early and closes the connection
   * makes the next write fail, and the answer is then lost although it has arrived.
   */
  readonly pauseMs?: number;
}

/**
 * Why there is no complete answer.
 * `unreachable`: no connection was made, so the server cannot have seen the request. In every other case it may have.
 */
export type Breakage = "unreachable" | "timeout" | "reset" | "cut" | "malformed" | "tooLarge" | "aborted";

/** Times are in milliseconds on the process's monotonic clock (`performance.now()`). */
export type RawAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** Names in lower case; repeated headers are joined with a comma. */
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
      /** How often a named connection had been opened by then. The server may close it after any answer. */
      readonly opened?: number;
      readonly sentAt: number;
      readonly doneAt: number;
    }
  | {
      readonly kind: "broken";
      readonly because: Breakage;
      /** The cause in the words of the layer that noticed it. */
      readonly detail: string;
      /** Present if the status line had arrived before the failure. */
      readonly status?: number;
      /** For `unreachable`: trying again cannot help, because a certificate, a protocol or a setting is wrong. */
      readonly permanent?: true;
      readonly sentAt: number;
      readonly doneAt: number;
    };

export interface UpgradeRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Offer permessage-deflate, as browsers do. */
  readonly deflate?: boolean;
  /** For the whole upgrade, including the connection. */
  readonly timeoutMs: number;
  /** Aborts the opening; an open socket is the caller's to close. */
  readonly signal?: AbortSignal;
}

/** A frame that arrived: text, or the bytes of a binary frame. */
export type RawFrame =
  | { readonly text: string; readonly at: number }
  | { readonly bytes: Uint8Array; readonly at: number };

/** Code 1006: it ended without a close frame. */
export interface RawClose {
  readonly code: number;
  readonly reason: string;
  readonly at: number;
}

/** Called in order with everything that arrives on an open socket. A fault can stand between it and the server. */
export interface SocketListener {
  frame(frame: RawFrame): void;
  closed(close: RawClose): void;
}

export interface RawSocket {
  send(data: string | Uint8Array): void;
  /** Raw bytes without a frame, for malformed frames. */
  write(bytes: Uint8Array): void;
  /** A WebSocket ping: not a message, and accepted by every version of the server. */
  ping(): void;
  /** Closes with a close frame. */
  close(code?: number, reason?: string): void;
  /** Ends the connection with a TCP reset. */
  reset(): void;
  /** Sends half a frame and ends the connection. */
  cutMidFrame(): void;
  /** Stops reading, so that data piles up in buffers. */
  pause(): void;
  resume(): void;
}

export type SocketOutcome =
  | {
      readonly kind: "open";
      readonly socket: RawSocket;
      readonly at: number;
      /** The server has accepted permessage-deflate. */
      readonly deflated?: boolean;
    }
  | { readonly kind: "failed"; readonly because: Breakage; readonly detail: string; readonly status?: number };

export interface Wire {
  exchange(request: RawRequest): Promise<RawAnswer>;
  /** Opens a WebSocket. Absent on wires for HTTP only. */
  readonly socket?: (request: UpgradeRequest, listener: SocketListener) => Promise<SocketOutcome>;
  /** Control over the server's process, where there is any. */
  readonly control?: Control;
  /** Runs the `kalam` command line against this server, where it is available. */
  readonly kalam?: Kalam;
  /** Speaks with the PostgreSQL port of a server. */
  readonly postgres?: Postgres;
}
