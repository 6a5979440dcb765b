/** Live connections that have nothing to do with what is tried: whether they go on. */
import { closeText } from "../../../src/server/live.ts";
import { cellText, type Account, type Live, type Subscription, type Target } from "../../../src/server/target.ts";

/** `well`: all were told of the row written just now. `untold`: nobody was, so it may be the row. Else who was lost. */
export type Wellbeing = "well" | "undetermined" | { readonly lost: readonly string[] };

const toldWithinMs = 10_000;

export class Bystanders {
  readonly #target: Target;
  readonly #writer: Account;
  readonly #table: string;
  readonly #people: readonly (readonly [string, Account])[];
  #here: { readonly who: string; readonly live: Live; readonly query: Subscription }[] = [];
  #row = 0;

  /** `table` has a BIGINT key named id, the writer may write it, and all of the people may read it. */
  constructor(target: Target, writer: Account, table: string, people: readonly (readonly [string, Account])[]) {
    this.#target = target;
    this.#writer = writer;
    this.#table = table;
    this.#people = people;
  }

  /** Connects everybody, anew if need be; returns why that could not be done. */
  async gather(): Promise<string | null> {
    this.leave();
    for (const [who, as] of this.#people) {
      const live = await this.#target.live(as);
      if ("why" in live) return `no live connection for ${who}: ${live.why}`;
      const query = await live.subscribe(`SELECT * FROM ${this.#table}`);
      const begun = await query.begin();
      if (begun.kind === "refused") return `${who} could not subscribe: ${begun.message}`;
      if (begun.kind === "unsure") return `${who} could not subscribe: ${begun.why}`;
      this.#here.push({ who, live, query });
    }
    return null;
  }

  /** Writes a row, of which everybody must be told. */
  async look(): Promise<Wellbeing> {
    this.#row += 1;
    const id = String(this.#row);
    await this.#target.sql(this.#writer, `INSERT INTO ${this.#table} (id) VALUES (${id})`);
    const looks = this.#here.map(async ({ who, live, query }) => {
      const told = (await query.untilChange(({ row }) => cellText(row?.["id"]) === id, toldWithinMs)) !== undefined;
      const close = live.closed();
      return { told, closed: close !== undefined, who: close === undefined ? who : `${who} (${closeText(close)})` };
    });
    const seen = await Promise.all(looks);
    const deaf = seen.filter(({ told, closed }) => !told || closed);
    if (deaf.length === 0) return "well";
    // Where all are there and nobody was told, it may be for another reason.
    const isUntold = deaf.length === seen.length && !deaf.some(({ closed }) => closed);
    return isUntold ? "undetermined" : { lost: deaf.map(({ who }) => who) };
  }

  leave(): void {
    for (const { live } of this.#here) live.close();
    this.#here = [];
  }
}
