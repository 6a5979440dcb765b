/** How a subscription began, as evidence keeps it, and why one was refused. */
import type { Begun } from "../../src/server/feed.ts";
import type { Live, Row, SubscribeOptions, Subscription } from "../../src/server/target.ts";
import { truncated } from "../../src/server/target.ts";

/**
 * `sql`: the statement or its options. `missing`: no such table. `right`: permission denied. `limit`: too many or too fast,
 * which says nothing about the statement. `other`: an error of the server's own, or not recognised.
 */
export type Reason = "sql" | "missing" | "right" | "limit" | "other";

export type Opening = {
  readonly kind: Begun["kind"];
  readonly code: string;
  readonly message: string;
  /** Of a refusal; otherwise empty. */
  readonly reason: Reason | "";
  readonly exchange: number;
};

/** A subscription that the server may refuse: how it began, and its snapshot page by page (none if it did not begin). */
export interface TriedSubscription {
  readonly subscription: Subscription;
  readonly opening: Opening;
  readonly pages: readonly (readonly Row[])[];
}

export async function tryToSubscribe(
  live: Live,
  sql: string,
  options: SubscribeOptions | null = {},
  id?: string,
): Promise<TriedSubscription> {
  const subscription = await live.subscribe(sql, options, id);
  const begun = await subscription.begin();
  return { subscription, opening: openingOf(begun, subscription), pages: begun.kind === "ready" ? begun.pages : [] };
}

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
        message: truncated(begun.message, 200),
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

/** `SUBSCRIPTION_FAILED` means both that the statement could not be planned and that the server failed; only the message shows which. */
export function reasonOf(code: string, message: string): Reason {
  const known = Object.hasOwn(codes, code) ? codes[code] : undefined;
  if (known !== undefined) return known;
  if (/table .{0,80}not found/i.test(message)) return "missing";
  return /no field named|parse|not supported|unsupported|during planning|invalid/i.test(message) ? "sql" : "other";
}

/** One line, for sentences. */
export function openingText({ kind, code, message }: Opening): string {
  return kind === "ready" ? "acknowledged" : `${code} ${message}`.trim();
}

const versionColumns = new Set(["_seq", "_deleted", "_version", "_commit_seq"]);

/** Without the columns that the server adds, whose values cannot be predicted. */
export function plainRow(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !versionColumns.has(column)));
}
