/** How the PostgreSQL port of a server is spoken to. Part of the wire, so that faults can wrap it. */

export interface PostgresPlace {
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface PostgresLogin {
  readonly user: string;
  readonly password: string;
  /** It opens an account: it is sent only over TLS with a verified certificate, or to this machine's loopback. */
  readonly isSecret: boolean;
}

/** One connection, from its beginning to its end. */
export interface PostgresCall {
  readonly at: PostgresPlace;
  readonly login: PostgresLogin;
  /** Simple queries, one after the other, of one statement each. */
  readonly queries: readonly string[];
  /** Called while it is logged in, after the queries. */
  readonly meanwhile?: () => Promise<void>;
  /** For all that it waits for, without `meanwhile`. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** `unverified`: there is TLS, with a certificate that nothing here trusts. */
export type PostgresTls = "verified" | "unverified" | "none";

/** How a password is asked for; `nothing`: the user's name is enough. */
export type PostgresAsks = "clearText" | "md5" | "sasl" | "other" | "nothing";

/** The fields of an ErrorResponse that matter: the SQLSTATE and the message. */
export type PostgresRefusal = {
  readonly kind: "refused";
  readonly code: string;
  readonly message: string;
};

/** `closed`: the server ended the connection without a word. Anything else may be the network. */
export type PostgresBroken = {
  readonly kind: "broken";
  readonly because: "closed" | "timeout" | "reset" | "aborted" | "protocol" | "tls";
  readonly detail: string;
};

export type PostgresResult =
  | {
      readonly kind: "rows";
      readonly columns: readonly string[];
      readonly rows: readonly (readonly (string | null)[])[];
    }
  | PostgresRefusal
  | PostgresBroken;

export type PostgresOutcome =
  /** Nothing listens there, or it cannot be reached. */
  | { readonly kind: "unreached"; readonly detail: string }
  /** What listens there does not speak the protocol. */
  | { readonly kind: "foreign"; readonly detail: string }
  | {
      readonly kind: "reached";
      readonly tls: PostgresTls;
      /** Null if it did not come to that. */
      readonly asks: PostgresAsks | null;
      /** `in`: it was ready for queries. `withheld`: the password was asked for and is not sent over this connection. */
      readonly login: { readonly kind: "in" | "withheld" } | PostgresRefusal | PostgresBroken;
      /** Of the queries that were sent. */
      readonly results: readonly PostgresResult[];
    };

export interface Postgres {
  /** Addresses of this machine that are not loopback: other machines may reach a server that listens on them. */
  readonly ownAddresses: readonly string[];
  call(call: PostgresCall): Promise<PostgresOutcome>;
}

/** `host:port`. */
export function nameOf({ host, port }: PostgresPlace): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
