/** What the thread of the sockets and the thread of the database tell each other about live queries. */

export type Code =
  | "AUTH_REQUIRED"
  | "BATCH_FETCH_FAILED"
  | "INVALID_SQL"
  | "INVALID_SUBSCRIPTION_ID"
  | "LIVE_QUERY_KILLED"
  | "MESSAGE_TOO_LARGE"
  | "NOT_FOUND"
  | "RATE_LIMIT_EXCEEDED"
  | "SLOW_READER"
  | "SUBSCRIPTION_FAILED"
  | "SUBSCRIPTION_LIMIT_EXCEEDED"
  | "UNAUTHORIZED"
  | "UNSUPPORTED"
  | "UNSUPPORTED_DATA";

export interface Options {
  readonly batchSize?: number;
  readonly lastRows?: number;
  /** A version, as text: it does not fit into a JavaScript number. */
  readonly from?: string;
  /** The name of an option that there is not. */
  readonly unknown?: string;
}

/** A live query as it was asked for: enough to open it once more. */
export interface Subscription {
  readonly connection: string;
  readonly id: string;
  readonly user: string;
  readonly sql: string;
  /** Without options there are no rows to begin with, only changes. */
  readonly options: Options | undefined;
  readonly createdMs: number;
}

export interface Refused {
  readonly kind: "refused";
  readonly code: Code;
  readonly message: string;
}

export type Opened =
  | {
      readonly kind: "open";
      /** JSON of the columns. */
      readonly schema: string;
      /** JSON of the rows there are, in the order in which they are sent, and the version of each. */
      readonly rows: readonly string[];
      readonly versions: readonly string[];
      /** What of the rows that were there at `from` is gone since: bodies of change frames. */
      readonly missed: readonly string[];
    }
  | Refused
  /** There is no such account any more. */
  | { readonly kind: "gone" };

/** Frames of changes without their beginning (the type and whose they are), for everybody who asked the same. */
interface Changes {
  readonly kind: "changes";
  readonly to: readonly Subscription[];
  readonly bodies: readonly string[];
}

/** The server ended a live query. */
export interface Ended {
  readonly kind: "ended";
  readonly subscription: Subscription;
  readonly code: Code;
  readonly message: string;
  /** The account is gone, and with it all its connections. */
  readonly gone: boolean;
}

export type News = Changes | Ended;

/** What is to be known about the sockets where statements run. */
export interface SocketFigures {
  readonly open: number;
  readonly peak: number;
  /** When each connection was last heard of, by its name. */
  readonly heardMs: Readonly<Record<string, number>>;
}

/** What live queries were open, and up to which change they have been told, when a thread is replaced. */
export interface Resumption {
  readonly subscriptions: readonly Subscription[];
  readonly toldUpTo: string | undefined;
}
