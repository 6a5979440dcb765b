import { isDeepStrictEqual } from "node:util";
import { dialect } from "../dialect.ts";
import type { Settings } from "../settings.ts";
import { Refusal } from "../sql/errors.ts";
import type { Catalogue } from "../store/catalogue.ts";
import type { Engine } from "../store/engine.ts";
import { begin, bodiesOf, concerns, isExpired, latest, unread, type Change } from "./changes.ts";
import type { Ended, Notice, Opened, Options, Resumption, SocketFigures, Subscription } from "./notices.ts";
import { refuseOptions, shownOptions } from "./options.ts";
import { Plan } from "./plan.ts";
import { LiveRefusal, readLiveQuery } from "./query.ts";

/** An open live query. */
interface Live {
  readonly subscription: Subscription;
  plan: Plan;
  changes: number;
  updatedMs: number;
}

/**
 * The open live queries, in the database thread. All of them have received every change up to the same number, and a new one
 * starts at exactly that number, so that there is no gap between its initial rows and its changes.
 */
export class LiveQueries {
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #settings: Settings;
  readonly #notify: (deliveredUpTo: string, notices: readonly Notice[]) => void;
  readonly #open = new Map<string, Live>();
  #deliveredUpTo = "0";
  /** The engine's count of writes at the last delivery; another thread's writes are in no count. */
  #delivered = -1;
  #peak = 0;
  /** The changes up to this number are not kept for resuming: the log is the process's own. */
  readonly #startedAt: string;

  constructor(
    engine: Engine,
    catalogue: Catalogue,
    settings: Settings,
    notify: (deliveredUpTo: string, notices: readonly Notice[]) => void,
  ) {
    this.#engine = engine;
    this.#catalogue = catalogue;
    this.#settings = settings;
    this.#notify = notify;
    this.#startedAt = latest(engine);
  }

  get figures(): { readonly open: number; readonly peak: number } {
    return { open: this.#open.size, peak: this.#peak };
  }

  /** Reopens the live queries of the previous thread; the next delivery brings what they missed. */
  resume({ subscriptions, deliveredUpTo }: Resumption): void {
    if (deliveredUpTo !== undefined) this.#deliveredUpTo = deliveredUpTo;
    for (const subscription of subscriptions) {
      try {
        this.#add(subscription, this.#plan(subscription));
      } catch (error) {
        this.#end(subscription, asRefusal(error));
      }
    }
  }

  open(subscription: Subscription): Opened {
    const { id, user, options } = subscription;
    if (this.#catalogue.roleOf(user) === undefined) return { kind: "gone" };
    try {
      const [most, mine] = [this.#settings["rate_limit.max_subscriptions_per_user"], [...this.#open.values()]];
      if (mine.filter((live) => live.subscription.user === user).length >= most)
        throw new LiveRefusal("SUBSCRIPTION_LIMIT_EXCEEDED", "Maximum subscriptions reached");
      if (this.#open.has(nameOf(subscription)))
        throw new LiveRefusal("INVALID_SUBSCRIPTION_ID", `Subscription ID '${id}' is in use on this connection`);
      refuseOptions(options);
      if (this.#open.size === 0) {
        this.#deliveredUpTo = latest(this.#engine);
        this.#delivered = this.#engine.writes;
      } else this.deliver();
      const plan = this.#plan(subscription);
      this.#refuseCursor(plan, options);
      const { rows, missed } = options === undefined ? { rows: [], missed: [] } : begin(plan, options, this.#engine);
      this.#add(subscription, plan);
      this.#notify(this.#deliveredUpTo, []);
      return {
        kind: "open",
        domain: plan.domain === undefined ? undefined : JSON.stringify(plan.domain),
        schema: plan.shape.schema(),
        rows: rows.map((row) => plan.shape.row(row)),
        versions: rows.map((row) => plan.shape.version(row)),
        missed,
      };
    } catch (error) {
      return { kind: "refused", ...asRefusal(error) };
    }
  }

  /** A cursor says nothing about another history, nor about changes that are no longer kept. */
  #refuseCursor(plan: Plan, { from, domain }: Options = {}): void {
    if (from === undefined || dialect.domain === "none") return;
    const rejected = (why: string): LiveRefusal => new LiveRefusal("CURSOR_REJECTED", why);
    if (plan.domain !== undefined && domain === undefined)
      throw rejected("A cursor of a SHARED table needs its version_domain");
    if (domain !== undefined && !isDeepStrictEqual(domain, plan.domain))
      throw rejected(`The cursor belongs to another history than that of ${plan.name}`);
    if (plan.domain !== undefined && isExpired(this.#engine, plan.table, from, this.#startedAt))
      throw new LiveRefusal("CURSOR_EXPIRED", "The changes since this cursor are no longer kept; subscribe without it");
  }

  close(connection: string, id: string): void {
    this.#open.delete(nameOf({ connection, id }));
  }

  /** Closes all live queries of a closed connection. */
  leave(connection: string): void {
    for (const { subscription } of this.#open.values())
      if (subscription.connection === connection) this.close(connection, subscription.id);
  }

  /** Ends the live query with that id from `system.live`; false if there is none. */
  kill(liveId: string): boolean {
    const live = [...this.#open.values()].find(({ subscription }) => liveIdOf(subscription) === liveId);
    if (live === undefined) return false;
    this.#end(live.subscription, { code: "LIVE_QUERY_KILLED", message: "An administrator ended this live query" });
    return true;
  }

  /** After a change of the catalogue: ends the live queries that are no longer valid, with the reason. */
  review(): void {
    for (const live of this.#open.values()) {
      if (live.plan.isCurrent(this.#catalogue)) continue;
      try {
        const plan = this.#plan(live.subscription);
        if (!plan.hasPoliciesOf(live.plan))
          throw new LiveRefusal("POLICY_CHANGED", `The policies of ${plan.name} changed; subscribe again`);
        live.plan = plan;
      } catch (error) {
        this.#end(live.subscription, asRefusal(error));
      }
    }
  }

  /** Delivers the changes committed since the last delivery, each exactly once. */
  deliver(): void {
    const { writes } = this.#engine;
    if (writes === this.#delivered) return;
    while (this.#open.size > 0) {
      const { changes, upTo, more } = unread(this.#engine, this.#deliveredUpTo);
      this.#deliveredUpTo = upTo;
      if (changes.length > 0) this.#notify(upTo, this.#noticesOf(changes));
      if (!more) {
        this.#delivered = writes;
        return;
      }
    }
  }

  /** The rows of `system.live`. */
  rows({ heardMs }: SocketFigures): unknown[] {
    return [...this.#open.values()].map(({ subscription, plan: { table }, changes, updatedMs }) => ({
      live_id: liveIdOf(subscription),
      connection_id: subscription.connection,
      subscription_id: subscription.id,
      namespace_id: table.namespace,
      table_name: table.name,
      user_id: subscription.user,
      query: subscription.sql,
      options: shownOptions(subscription.options),
      changes,
      created_ms: subscription.createdMs,
      updated_ms: updatedMs,
      heard_ms: heardMs[subscription.connection] ?? subscription.createdMs,
    }));
  }

  #plan({ sql, user }: Subscription): Plan {
    const role = this.#catalogue.roleOf(user);
    if (role === undefined) throw new LiveRefusal("UNAUTHORIZED", `Permission denied: There is no account '${user}'`);
    return new Plan(this.#engine, this.#catalogue, readLiveQuery(sql), { user, role });
  }

  #add(subscription: Subscription, plan: Plan): void {
    this.#open.set(nameOf(subscription), { subscription, plan, changes: 0, updatedMs: subscription.createdMs });
    this.#peak = Math.max(this.#peak, this.#open.size);
  }

  #end(subscription: Subscription, { code, message }: Pick<Ended, "code" | "message">): void {
    this.close(subscription.connection, subscription.id);
    const gone = this.#catalogue.roleOf(subscription.user) === undefined;
    this.#notify(this.#deliveredUpTo, [{ kind: "ended", subscription, code, message, gone }]);
  }

  /** Identical live queries of one account are evaluated once. */
  #noticesOf(changes: readonly Change[]): Notice[] {
    const alike = new Map<string, Live[]>();
    for (const live of this.#open.values()) alike.set(live.plan.key, [...(alike.get(live.plan.key) ?? []), live]);
    return [...alike.values()].flatMap((lives): Notice[] => {
      const plan = lives[0]?.plan;
      const own = plan === undefined ? [] : changes.filter((change) => concerns(plan, change));
      if (plan === undefined || own.length === 0) return [];
      try {
        const bodies = bodiesOf(plan, own);
        for (const live of lives) {
          live.changes += bodies.length;
          if (bodies.length > 0) live.updatedMs = Date.now();
        }
        return bodies.length === 0 ? [] : [{ kind: "changes", to: lives.map((live) => live.subscription), bodies }];
      } catch (error) {
        // The condition fails on this row, so it is unknown which changes match.
        for (const { subscription } of lives) this.#end(subscription, asRefusal(error));
        return [];
      }
    });
  }
}

const nameOf = ({ connection, id }: Pick<Subscription, "connection" | "id">): string => `${connection} ${id}`;
const liveIdOf = ({ user, connection, id }: Subscription): string => `${user}-${connection}-${id}`;

function asRefusal(error: unknown): Pick<Ended, "code" | "message"> {
  if (error instanceof LiveRefusal) return { code: error.code, message: error.message };
  // Any other error means that the engine is broken.
  if (!(error instanceof Refusal)) throw error;
  return { code: "SUBSCRIPTION_FAILED", message: error.message };
}
