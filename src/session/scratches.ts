/**
 * The scratch namespaces of a run. There are as many as observations, so several are made, and later dropped, in one request: that
 * saves two requests in each observation.
 */
import { SetupError } from "./accounts.ts";
import { outcomeOf } from "../server/answer.ts";
import { whileWanted, type Sender } from "../server/sender.ts";
import type { Session } from "./session.ts";
import { dropStatement } from "./sweep.ts";

/** More would leave too many objects on the server meanwhile. */
const atOnce = 4;

export class Scratches {
  readonly #session: Pick<Session, "ledger" | "sender" | "login" | "nextName">;
  /** How many are still to be made for observations to come. */
  #toCome: number;
  readonly #ready: string[] = [];
  #used = 0;
  readonly #over: string[] = [];

  constructor(session: Pick<Session, "ledger" | "sender" | "login" | "nextName">, toCome: number) {
    this.#session = session;
    this.#toCome = toCome;
  }

  /** One that nobody else has; `alone`: made for this observation alone, as the server may be stopped before others need theirs. */
  async take(wanted: AbortSignal, { alone }: { readonly alone: boolean }): Promise<string> {
    this.#used += 1;
    const ready = alone ? undefined : this.#ready.shift();
    if (ready !== undefined) return ready;
    const names = Array.from({ length: alone ? 1 : Math.max(1, Math.min(atOnce, this.#toCome)) }, () => this.#name());
    if (!alone) this.#toCome -= names.length;
    const [first = "", ...others] = names;
    const made = await this.#make(names, wanted);
    if (made.kind === "ok") {
      this.#ready.push(...others);
      return first;
    }
    if (others.length === 0) throw failed(first, outcomeOf(made));
    // What the batch has left is in the ledger; this observation gets another one.
    const single = this.#name();
    const again = await this.#make([single], wanted);
    if (again.kind !== "ok") throw failed(single, outcomeOf(again));
    return single;
  }

  /** It is no longer needed. The clean-up of the run checks that it is gone; this only keeps objects from accumulating. */
  async giveBack(name: string, withinMs: number): Promise<void> {
    this.#used -= 1;
    this.#over.push(name);
    const isLast = this.#used === 0 && this.#toCome <= 0 && this.#ready.length === 0;
    if (this.#over.length < atOnce && !isLast) return;
    const { sender, login } = this.#session;
    const statements = this.#over.splice(0).map((one) => dropStatement({ kind: "namespace", name: one }));
    const timely: Sender = whileWanted(sender, AbortSignal.timeout(withinMs));
    await timely.sql(login, statements.join("; ")).catch(() => undefined);
  }

  /** Entered in the ledger before it is made. */
  #name(): string {
    const name = this.#session.nextName();
    this.#session.ledger.enter({ kind: "namespace", name });
    return name;
  }

  async #make(names: readonly string[], wanted: AbortSignal) {
    const { sender, login } = this.#session;
    return await sender.sql(login, names.map((name) => `CREATE NAMESPACE ${name}`).join("; "), { wanted });
  }
}

function failed(name: string, why: string): SetupError {
  return new SetupError(`the set-up failed: CREATE NAMESPACE ${name}: ${why}`);
}
