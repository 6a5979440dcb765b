/** Removes what runs have created and checks that it is gone. Used at the end of every run and by `cleanup`. */
import { setMaxListeners } from "node:events";
import { durationText } from "../duration.ts";
import { cellText, integerText } from "../wire/json.ts";
import { onlyRow, outcomeOf, rowsOf, type Answer } from "../server/answer.ts";
import type { Entry, Kind } from "./ledger.ts";
import { sleep } from "./pacing.ts";
import { rangeOf, runOf } from "./scratch.ts";
import { whileWanted, type Account, type Sender } from "../server/sender.ts";

type ListedKind = Exclude<Kind, "folder">;

/** Something created by a run that the server lists. */
export interface Listed extends Entry {
  readonly kind: ListedKind;
  /** Milliseconds since 1970; undefined if the server does not show it. */
  readonly createdAt: number | undefined;
}

export type Sweep =
  /** Nothing is listed any more; `removed` was listed before. */
  | { readonly kind: "clean"; readonly removed: readonly Entry[] }
  /** Still listed although its removal was acknowledged or refused. */
  | {
      readonly kind: "left";
      readonly removed: readonly Entry[];
      readonly left: readonly (Entry & { readonly why: string })[];
    }
  /** The server did not show what is left. */
  | { readonly kind: "unclear"; readonly sentence: string };

const views: Readonly<Record<ListedKind, { view: string; name: string; also: string }>> = {
  namespace: { view: "system.namespaces", name: "namespace_id", also: "" },
  topic: { view: "system.topics", name: "topic_id", also: "" },
  // A dropped account stays listed with the time of its removal.
  account: { view: "system.users", name: "user_id", also: " AND deleted_at IS NULL" },
};
/** A run has about thirty. */
const accountsAtOnce = 8;
const pollMs = 200;
/** Each look with an expired token tries to renew it, and the third failure is the last. */
const expiredMax = 3;
/** For one more look when the time is up. */
const lastLookMs = 2_000;
/** More than any runs leave: a server may invent a name for every page. */
const namesMax = 20_000;
/** Fewer than the 1,000 rows at which a server truncates a result without reporting it. */
const pageRows = 500;
/** Fewer than the 50 rows that it returns without a LIMIT. */
const namesAtOnce = 25;

/** What to look for. */
interface Wanted {
  readonly prefix: string;
  /** Namespaces that do not begin with the prefix. */
  readonly named?: readonly string[];
  /** Whether to look for topics, too: servers before 0.4 have none. */
  readonly topics?: boolean;
}

/** What a server lists of ours. */
export interface Listing {
  readonly found: readonly Listed[];
  /** Why there may be more; undefined if this is all. */
  readonly doubt: string | undefined;
  /** In doubt because our login has ended: asking again helps only as long as it may still be renewed. */
  readonly expired?: boolean;
}

/** Until when to go on. */
class Time {
  readonly #withinMs: number;
  readonly #lastAt: number;
  #until: number;

  /** Up to `atMostMs` while there is progress at least every `withinMs`. */
  constructor(withinMs: number, atMostMs = withinMs) {
    const now = performance.now();
    this.#withinMs = withinMs;
    this.#until = now + withinMs;
    this.#lastAt = now + Math.max(withinMs, atMostMs);
  }

  progress(): void {
    this.#until = Math.max(this.#until, Math.min(this.#lastAt, performance.now() + this.#withinMs));
  }

  leftMs(): number {
    return this.#until - performance.now();
  }
}

/**
 * What the server lists with this prefix, and those of the `named` namespaces that exist. In doubt it asks again until
 * the time is up.
 */
export async function listWithin(
  sender: Sender,
  login: Account | null,
  options: Wanted & { readonly withinMs: number },
): Promise<Listing> {
  const time = new Time(options.withinMs);
  return await inTime(sender, time, async (timed) => {
    for (let expired = 0; ;) {
      const listing = await listOnce(timed, login, options);
      expired = listing.expired === true ? expired + 1 : 0;
      if (listing.doubt === undefined || time.leftMs() < 0 || expired === expiredMax) return listing;
      await sleep(pollMs);
    }
  });
}

/**
 * Does it with a sender that has an answer to everything when the time is up, and one more look could have been answered: a
 * request may wait for its turn, or for the server, for longer.
 */
async function inTime<T>(sender: Sender, time: Time, act: (timed: Sender) => Promise<T>): Promise<T> {
  const beganAt = performance.now();
  const wanted = new AbortController();
  // Each request in progress listens to it.
  setMaxListeners(0, wanted.signal);
  const over = new Promise<Answer>((resolve) => {
    wanted.signal.addEventListener("abort", () => {
      const now = performance.now();
      const message = `no answer within the ${durationText(now - beganAt)} for cleaning up`;
      resolve({ kind: "unsure", because: "timeout", message, exchange: 0, sentAt: now, doneAt: now });
    });
  });
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    const leftMs = time.leftMs() + lastLookMs;
    if (leftMs <= 0) wanted.abort();
    else timer = setTimeout(watch, Math.ceil(leftMs));
  };
  watch();
  const patient = whileWanted(sender, wanted.signal);
  const inTheEnd = async (error: unknown): Promise<Answer> => {
    if (!wanted.signal.aborted) throw error;
    return await over;
  };
  try {
    return await act({
      ...patient,
      sql: async (...request) => await Promise.race([patient.sql(...request).catch(inTheEnd), over]),
    });
  } finally {
    clearTimeout(timer);
  }
}

/** An answer shows that nothing is left only if it is an answer to what was asked, and complete. */
async function listOnce(
  sender: Sender,
  login: Account | null,
  { prefix, named: alsoNamed = [], topics = false }: Wanted,
): Promise<Listing> {
  const looks: { kind: ListedKind; where: string; asked: (name: string) => boolean }[] = [];
  const odd = alsoNamed.filter((name) => !name.startsWith(prefix));
  for (let at = 0; at < odd.length; at += namesAtOnce) {
    const names = new Set(odd.slice(at, at + namesAtOnce));
    const where = `namespace_id IN (${[...names].map(quoted).join(", ")})`;
    looks.push({ kind: "namespace", where, asked: (name) => names.has(name) });
  }
  const { from, to } = rangeOf(prefix);
  for (const kind of Object.keys(views) as ListedKind[]) {
    if (kind === "topic" && !topics) continue;
    const { name, also } = views[kind];
    const where = `${name} >= ${quoted(from)} AND ${name} < ${quoted(to)}${also}`;
    looks.push({ kind, where, asked: (one) => one.startsWith(prefix) });
  }
  // Together: each may have to wait for its turn again and again.
  const listings = await Promise.all(looks.map(async (look) => await page(sender, login, look)));
  const found = listings.flatMap((listing) => listing.found);
  // A server that evaluates a WHERE incorrectly must not make us drop what belongs to others.
  const named = new Set(alsoNamed);
  return {
    found: found.filter(({ name }) => named.has(name) || (name.startsWith(prefix) && runOf(name) !== undefined)),
    doubt: listings.find(({ doubt }) => doubt !== undefined)?.doubt,
    expired: listings.some(({ expired }) => expired === true),
  };
}

/** Page by page until one is empty: a server may return fewer rows than were asked for without reporting it. */
async function page(
  sender: Sender,
  login: Account | null,
  { kind, where, asked }: { kind: ListedKind; where: string; asked: (name: string) => boolean },
): Promise<Listing> {
  const { view, name } = views[kind];
  const found = new Map<string, Listed>();
  const doubtful = (why: string | undefined): Listing => ({
    found: [...found.values()],
    doubt: why === undefined ? undefined : `${view} could not be read: ${why}`,
  });
  for (let after: string | undefined; ;) {
    const further = after === undefined ? "" : ` AND ${name} > ${quoted(after)}`;
    const answer = await sender.sql(
      login,
      `SELECT ${name} AS name, created_at FROM ${view} WHERE ${where}${further} ORDER BY ${name} LIMIT ${pageRows}`,
    );
    const rows = rowsOf(answer);
    if (kind === "topic" && answer.kind === "refused" && answer.cause === "missing") return doubtful(undefined);
    if (answer.kind !== "ok" || rows === undefined)
      return { ...doubtful(outcomeOf(answer)), expired: answer.kind === "unsure" && answer.because === "expired" };
    const columns = answer.results.flatMap((result) => result.columns.map((column) => column.name));
    if (columns.join(" ") !== "name created_at") return doubtful(`it has the columns ${columns.join(", ")}`);
    if (rows.length === 0) break;
    if (found.size > namesMax) return doubtful(`it lists more than ${namesMax} names`);
    for (const row of rows) {
      const one = cellText(row["name"]);
      const createdAt = integerText(row["created_at"]);
      if (!asked(one)) return doubtful(`it lists ${JSON.stringify(one)}, which was not asked for`);
      if (found.has(one)) return doubtful(`it lists ${JSON.stringify(one)} twice`);
      found.set(one, { kind, name: one, createdAt: createdAt === undefined ? undefined : Number(createdAt) });
    }
    after = cellText(rows.at(-1)?.["name"]);
  }
  const answer = await sender.sql(login, `SELECT COUNT(*) AS count FROM ${view} WHERE ${where} LIMIT 1`);
  const count = integerText(onlyRow(answer)?.["count"]);
  if (count === undefined) return doubtful(`COUNT(*): ${outcomeOf(answer)}`);
  // Fewer is no doubt: another run may have removed its own meanwhile.
  return doubtful(Number(count) > found.size ? `it lists ${found.size} names and counts ${count}` : undefined);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Drops everything with this prefix that passes the filter, until it is gone or the time is up: `withinMs`, and `atMostMs` while
 * one thing after the other is dropped.
 */
export async function sweep(
  sender: Sender,
  login: Account | null,
  options: Wanted & {
    readonly only?: (listed: Listed) => boolean;
    readonly withinMs: number;
    readonly atMostMs?: number;
  },
): Promise<Sweep> {
  const time = new Time(options.withinMs, options.atMostMs);
  return await inTime(sender, time, async (timed) => await sweepUntil(time, timed, login, options));
}

async function sweepUntil(
  time: Time,
  sender: Sender,
  login: Account | null,
  options: Wanted & { readonly only?: (listed: Listed) => boolean },
): Promise<Sweep> {
  const removed = new Map<string, Entry>();
  const why = new Map<string, Answer>();
  let expired = 0;
  for (let round = 1; ; round += 1) {
    // One round is nearly always enough, and the second shows it; only slow removals and doubts are waited for.
    if (round > 2) await sleep(pollMs);
    const { found, doubt, ...look } = await listOnce(sender, login, options);
    const listed = options.only === undefined ? found : found.filter(options.only);
    for (const key of removed.keys()) if (listed.some((one) => keyOf(one) === key)) removed.delete(key);
    if (listed.length === 0 && doubt === undefined) return { kind: "clean", removed: [...removed.values()] };
    expired = look.expired === true ? expired + 1 : 0;
    if (time.leftMs() < 0 || expired === expiredMax) {
      if (doubt !== undefined) return { kind: "unclear", sentence: doubt };
      const left = listed.map(({ kind, name }) => ({ kind, name, answer: why.get(keyOf({ kind, name })) }));
      // Only what the server has answered is known to be left: a drop without an answer may still be done.
      const unanswered = left.find(({ answer }) => answer === undefined || answer.kind === "unsure");
      if (unanswered !== undefined) {
        const { kind, name, answer } = unanswered;
        return {
          kind: "unclear",
          sentence: `${kind} ${name} is still listed, and its removal was not answered: ${answer === undefined ? "out of time" : outcomeOf(answer)}`,
        };
      }
      return {
        kind: "left",
        removed: [...removed.values()],
        left: left.map(({ kind, name, answer }) => ({
          kind,
          name,
          why: answer === undefined ? "" : outcomeOf(answer),
        })),
      };
    }
    const dropAll = async (batch: readonly Listed[]): Promise<void> => {
      const answer = await sender.sql(login, batch.map(dropStatement).join("; "));
      // A statement that fails stops those after it: which of them, only the next round shows, one by one.
      if (batch.length > 1 && answer.kind === "refused") return;
      for (const one of batch) {
        // Once each: a server that acknowledges and removes nothing makes no progress.
        if (answer.kind === "ok" && why.get(keyOf(one))?.kind !== "ok") time.progress();
        why.set(keyOf(one), answer);
      }
    };
    await Promise.all(batchesOf(listed, round === 1 ? accountsAtOnce : 1).map(dropAll));
    for (const { kind, name } of listed) removed.set(keyOf({ kind, name }), { kind, name });
  }
}

/** What is dropped in one request: accounts together, and each namespace, which takes longer, on its own. */
function batchesOf(listed: readonly Listed[], atOnce: number): readonly (readonly Listed[])[] {
  const accounts = listed.filter(({ kind }) => kind === "account");
  const together = Array.from({ length: Math.ceil(accounts.length / atOnce) }, (_, at) =>
    accounts.slice(at * atOnce, (at + 1) * atOnce),
  );
  return [...listed.filter(({ kind }) => kind !== "account").map((one) => [one]), ...together];
}

/** Asks the server to remove it; only a listing shows whether it is gone. */
export async function drop(sender: Sender, login: Account | null, entry: Entry): Promise<Answer> {
  return await sender.sql(login, dropStatement(entry));
}

export function dropStatement(entry: Entry): string {
  // Unquoted, as it was created; quoted if the name could end the statement and start another one.
  const name = /[;"'\s]/.test(entry.name) ? `"${entry.name.replaceAll('"', '""')}"` : entry.name;
  if (entry.kind === "topic") return `DROP TOPIC ${name}`;
  return entry.kind === "namespace"
    ? `DROP NAMESPACE IF EXISTS ${name} CASCADE`
    : `DROP USER IF EXISTS ${quoted(entry.name)}`;
}

function keyOf(entry: Entry): string {
  return `${entry.kind} ${entry.name}`;
}
