/** Statements and subscriptions that the server must reject. `own` is an existing table. */

/** For SUBSCRIBE over HTTP. */
export const statements: readonly { readonly name: string; readonly sql: (own: string) => string }[] = [
  { name: "without TO", sql: (own) => `SUBSCRIBE ${own}` },
  { name: "without a table", sql: () => "SUBSCRIBE TO" },
  { name: "WHERE without a condition", sql: (own) => `SUBSCRIBE TO ${own} WHERE` },
  { name: "OPTIONS without a list", sql: (own) => `SUBSCRIBE TO ${own} OPTIONS` },
  { name: "unknown option", sql: (own) => `SUBSCRIBE TO ${own} OPTIONS (last_row = 1)` },
  { name: "condition cut short", sql: (own) => `SUBSCRIBE TO ${own} WHERE (((` },
];

export interface Case {
  readonly name: string;
  readonly sql: (own: string) => string;
  readonly id?: string;
  /** No options: the server then reads no snapshot, and so does not run the statement. */
  readonly withoutSnapshot?: true;
  /** The only rows that may be delivered if it is accepted; absent where it has no condition. */
  readonly may?: readonly string[];
}

/** The id of a subscription that is already open. */
export const usedId = "used";

/** For a socket. One line a case; add to it freely. */
export const cases: readonly Case[] = [
  { name: "empty id", id: "", sql: (own) => `SELECT * FROM ${own}` },
  { name: "blank id", id: "  ", sql: (own) => `SELECT * FROM ${own}` },
  { name: "used id", id: usedId, sql: (own) => `SELECT * FROM ${own} WHERE id = 2`, may: ["2"] },
  { name: "empty statement", sql: () => "" },
  { name: "DELETE", sql: (own) => `DELETE FROM ${own}` },
  { name: "JOIN", sql: (own) => `SELECT * FROM ${own} a JOIN ${own} b ON a.id = b.id` },
  { name: "ORDER BY", sql: (own) => `SELECT * FROM ${own} ORDER BY id` },
  { name: "LIMIT", sql: (own) => `SELECT * FROM ${own} LIMIT 1` },
  { name: "GROUP BY", sql: (own) => `SELECT v, COUNT(*) FROM ${own} GROUP BY v` },
  { name: "chain", sql: (own) => `SELECT * FROM ${own}; DELETE FROM ${own}` },
  { name: "unparsable WHERE", sql: (own) => `SELECT * FROM ${own} WHERE (((`, may: [] },
  { name: "unknown column", sql: (own) => `SELECT * FROM ${own} WHERE nowhere = 1`, may: [] },
  {
    name: "unknown column, no snapshot",
    sql: (own) => `SELECT * FROM ${own} WHERE nowhere = 1`,
    withoutSnapshot: true,
    may: [],
  },
];
