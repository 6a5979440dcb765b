/** Live connections besides the one under test: whether they keep receiving rows. */
import { closeText } from "../../../src/server/socket-login.ts";
import type { Account, Target } from "../../../src/server/target.ts";
import { fenceArrives, follow, type Following, type NotFollowing } from "../../vocabulary/following.ts";

/** `alive`: all received the row written just now. `undetermined`: none did, so it may be due to the row. Else those lost. */
export type SiblingState = "alive" | "undetermined" | { readonly lost: readonly string[] };

const deliveredWithinMs = 10_000;

export class Siblings {
  readonly #target: Target;
  readonly #writer: Account;
  readonly #table: string;
  readonly #accounts: readonly (readonly [string, Account])[];
  #open: (Following & { readonly name: string })[] = [];
  #row = 0;

  /** `table` has a BIGINT key named id, the writer may write it, and all accounts may read it. */
  constructor(target: Target, writer: Account, table: string, accounts: readonly (readonly [string, Account])[]) {
    this.#target = target;
    this.#writer = writer;
    this.#table = table;
    this.#accounts = accounts;
  }

  /** Opens the connections, or opens them again. */
  async connect(): Promise<true | NotFollowing> {
    this.close();
    for (const [name, as] of this.#accounts) {
      const following = await follow(this.#target, as, `SELECT * FROM ${this.#table}`);
      if ("why" in following) return { why: `${name}: ${following.why}` };
      this.#open.push({ name, ...following });
    }
    return true;
  }

  /** Writes a row that must arrive on every connection. */
  async look(): Promise<SiblingState> {
    this.#row += 1;
    const id = String(this.#row);
    await this.#target.sql(this.#writer, `INSERT INTO ${this.#table} (id) VALUES (${id})`);
    const looks = this.#open.map(async ({ name, live, subscription }) => {
      const arrived = await fenceArrives(subscription, "id", id, deliveredWithinMs);
      const close = live.closed();
      return {
        arrived,
        closed: close !== undefined,
        name: close === undefined ? name : `${name} (${closeText(close)})`,
      };
    });
    const seen = await Promise.all(looks);
    const lost = seen.filter(({ arrived, closed }) => !arrived || closed);
    if (lost.length === 0) return "alive";
    // If all are connected and none received the row, there may be another reason.
    if (lost.length === seen.length && !lost.some(({ closed }) => closed)) return "undetermined";
    return { lost: lost.map(({ name }) => name) };
  }

  close(): void {
    for (const { live } of this.#open) live.close();
    this.#open = [];
  }
}
