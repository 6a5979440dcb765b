/** What the socket thread and the database thread exchange about live queries. */

export type Code =
  | "AUTH_REQUIRED"
  | "BATCH_FETCH_FAILED"
  | "CURSOR_EXPIRED"
  | "CURSOR_REJECTED"
  | "INVALID_SQL"
  | "INVALID_SUBSCRIPTION_ID"
  | "LIVE_QUERY_KILLED"
  | "MESSAGE_TOO_LARGE"
  | "NOT_FOUND"
  | "POLICY_CHANGED"
  | "RATE_LIMIT_EXCEEDED"
  | "SLOW_READER"
  | "SUBSCRIPTION_FAILED"
  | "SUBSCRIPTION_LIMIT_EXCEEDED"
  | "UNAUTHORIZED"
  | "UNSUPPORTED"
  | "UNSUPPORTED_DATA";

/** The history that versions of a SHARED table are counted in: those of another one mean nothing here. */
export interface VersionDomain {
  readonly history_incarnation: string;
  readonly table_id: string;
  readonly scope_id: number;
  readonly partition_id: number | null;
}

export interface Options {
  readonly batchSize?: number;
  readonly lastRows?: number;
  /** A version, as text: a JavaScript number would round it. */
  readonly from?: string;
  /** The history that `from` belongs to. */
  readonly domain?: VersionDomain;
  /** The name of an unknown option. */
  readonly unknown?: string;
}

/** A live query as requested: enough to reopen it. */
export interface Subscription {
  readonly connection: string;
  readonly id: string;
  readonly user: string;
  readonly sql: string;
  /** Without options there are no initial rows, only changes. */
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
      /** JSON of the history that the versions belong to, where cursors need it. */
      readonly domain: string | undefined;
      /** JSON of the columns. */
      readonly schema: string;
      /** JSON of the initial rows in sending order, and the version of each. */
      readonly rows: readonly string[];
      readonly versions: readonly string[];
      /** Bodies of the change frames for rows deleted since `from`. */
      readonly missed: readonly string[];
    }
  | Refused
  /** The account was dropped. */
  | { readonly kind: "gone" };

/** Change frames without their head (type and subscription), shared by all identical live queries. */
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
  /** The account was dropped, so all its connections are closed. */
  readonly gone: boolean;
}

export type Notice = Changes | Ended;

/** What statements can report about the sockets. */
export interface SocketFigures {
  readonly open: number;
  readonly peak: number;
  /** When each connection last sent anything, by connection id. */
  readonly heardMs: Readonly<Record<string, number>>;
}

/** The open live queries and the last change delivered to them, for a replacement thread. */
export interface Resumption {
  readonly subscriptions: readonly Subscription[];
  readonly deliveredUpTo: string | undefined;
}
