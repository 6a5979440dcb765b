/** What senders need to know of tokens that end during a run. */

/**
 * What a 401 with one of our tokens means. `again`: there is a newer token to try. `expired`: there is none, so it shows
 * nothing about the server. `refused`: the token should have been valid.
 */
export type Expiry = "again" | "expired" | "refused";

/** Keeps the tokens of accounts valid. */
export interface KeepsValid {
  /** Renews the token of this account if it is about to expire. */
  prepare(user: string): Promise<void>;
  /** Whether the account's token has ended, by its own claims. */
  isOver(user: string): boolean;
  /** After a 401 to this token; `called`: the server called it expired. */
  afterRefusal(user: string, token: string, called: boolean): Promise<Expiry>;
  /** The server was started again, perhaps with another secret: the next refusal of each token is no surprise. */
  restarted(): void;
  /** The server has accepted this token. */
  accepted(user: string, token: string): void;
}
