/** How a subscription began, as evidence keeps it, and for what reason one was refused. */
import type { Begun, Row } from "../../src/server/feed.ts";
import type { Subscription } from "../../src/server/target.ts";

/**
 * `sql`: what was asked for, its text or its options. `missing`: there is no such table. `right`: not for this account.
 * `limit`: too many or too fast, which says nothing about what was asked. `other`: not recognised, an error of the server's own.
 */
export type Reason = "sql" | "missing" | "right" | "limit" | "other";

export type Opening = {
  readonly kind: Begun["kind"];
  readonly code: string;
  readonly message: string;
  /** Of a refusal; empty for what was not refused. */
  readonly reason: Reason | "";
  readonly exchange: number;
};

export function openingOf(begun: Begun, { exchange }: Pick<Subscription, "exchange">): Opening {
  switch (begun.kind) {
    case "ready":
      return { kind: "ready", code: "", message: "", reason: "", exchange };
    case "unsure":
      return { kind: "unsure", code: "", message: begun.why, reason: "", exchange };
    case "refused":
      return {
        kind: "refused",
        code: begun.code,
        message: begun.message.slice(0, 200),
        reason: reasonOf(begun.code, begun.message),
        exchange,
      };
  }
}

const codes: Readonly<Record<string, Reason>> = {
  INVALID_SUBSCRIPTION_ID: "sql",
  INVALID_SQL: "sql",
  UNSUPPORTED: "sql",
  INVALID_INPUT: "sql",
  MISSING_COLUMN: "sql",
  NOT_FOUND: "missing",
  UNAUTHORIZED: "right",
  PERMISSION_DENIED: "right",
  AUTH_REQUIRED: "right",
  SUBSCRIPTION_LIMIT_EXCEEDED: "limit",
  RATE_LIMIT_EXCEEDED: "limit",
};

/** `SUBSCRIPTION_FAILED` stands for what the engine would not plan as well as for what broke: only its words tell. */
export function reasonOf(code: string, message: string): Reason {
  const known = Object.hasOwn(codes, code) ? codes[code] : undefined;
  if (known !== undefined) return known;
  if (/table .{0,80}not found/i.test(message)) return "missing";
  return /no field named|parse|not supported|unsupported|during planning|invalid/i.test(message) ? "sql" : "other";
}

/** In one line, for sentences. */
export function openingText({ kind, code, message }: Opening): string {
  return kind === "ready" ? "acknowledged" : `${code} ${message}`.trim();
}

const versionColumns = new Set(["_seq", "_deleted", "_version", "_commit_seq"]);

/** Without the columns that the server adds: their values are nobody's to expect. */
export function plainRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !versionColumns.has(column)));
}
