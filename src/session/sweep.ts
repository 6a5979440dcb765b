/** Removes what runs have created and checks that it is gone. Used at the end of every run and by `cleanup`. */
import { cellText, integerText } from "../wire/json.ts";
import { outcomeOf, rowsOf, type Answer } from "../server/answer.ts";
import type { Entry, Kind } from "./ledger.ts";
import { sleep } from "./pacing.ts";
import { rangeOf, runOf } from "./scratch.ts";
import type { Account, Sender } from "../server/sender.ts";

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
  // A dropped account stays listed with the time of its removal.
  account: { view: "system.users", name: "user_id", also: " AND deleted_at IS NULL" },
};
/** Fewer than the 1,000 rows at which a server truncates a result without reporting it. */
const pageRows = 500;

/**
 * What the server lists with this prefix, and those of the `alsoNamed` namespaces that exist; a sentence if a view could
 * not be read.
 */
export async function listOurs(
  sender: Sender,
  login: Account,
  prefix: string,
  alsoNamed: readonly string[] = [],
): Promise<readonly Listed[] | string> {
  const found: Listed[] = [];
  const odd = alsoNamed.filter((name) => !name.startsWith(prefix));
  if (odd.length > 0) {
    const names = odd.map((name) => `'${name.replaceAll("'", "''")}'`).join(", ");
    const answer = await sender.sql(
      login,
      `SELECT namespace_id AS name FROM system.namespaces WHERE namespace_id IN (${names}) LIMIT ${pageRows}`,
    );
    const rows = rowsOf(answer);
    if (rows === undefined) return `system.namespaces could not be read: ${outcomeOf(answer)}`;
    for (const row of rows) found.push({ kind: "namespace", name: cellText(row["name"]), createdAt: undefined });
  }
  for (const [kind, { view, name, also }] of Object.entries(views) as [ListedKind, (typeof views)[ListedKind]][]) {
    const { from, to } = rangeOf(prefix);
    let after = from;
    for (;;) {
      const compare = after === from ? ">=" : ">";
      const answer = await sender.sql(
        login,
        `SELECT ${name} AS name, created_at FROM ${view} WHERE ${name} ${compare} '${after.replaceAll("'", "''")}' AND ${name} < '${to}'${also} ORDER BY ${name} LIMIT ${pageRows}`,
      );
      const rows = rowsOf(answer);
      if (rows === undefined) return `${view} could not be read: ${outcomeOf(answer)}`;
      for (const row of rows) {
        const createdAt = integerText(row["created_at"]);
        found.push({
          kind,
          name: cellText(row["name"]),
          createdAt: createdAt === undefined ? undefined : Number(createdAt),
        });
      }
      if (rows.length < pageRows) break;
      const last = cellText(rows.at(-1)?.["name"]);
      if (last <= after)
        return `${view} could not be read: the page after ${after} ends with ${last}, so paging would never end`;
      after = last;
    }
  }
  // A server that evaluates a WHERE incorrectly must not make us drop what belongs to others.
  const named = new Set(alsoNamed);
  return found.filter(({ name }) => named.has(name) || (name.startsWith(prefix) && runOf(name) !== undefined));
}

/** Drops everything with this prefix that passes the filter, until it is gone or the time is up. */
export async function sweep(
  sender: Sender,
  login: Account,
  options: { prefix: string; named?: readonly string[]; only?: (listed: Listed) => boolean; withinMs: number },
): Promise<Sweep> {
  const deadline = performance.now() + options.withinMs;
  const removed = new Map<string, Entry>();
  const why = new Map<string, Answer>();
  for (let round = 1; ; round += 1) {
    // One round is nearly always enough, and the second shows it; only slow removals are waited for.
    if (round > 2) await sleep(200);
    const all = await listOurs(sender, login, options.prefix, options.named);
    if (typeof all === "string") return { kind: "unclear", sentence: all };
    const listed = options.only === undefined ? all : all.filter(options.only);
    for (const key of removed.keys()) if (listed.some((one) => keyOf(one) === key)) removed.delete(key);
    if (listed.length === 0) return { kind: "clean", removed: [...removed.values()] };
    if (performance.now() > deadline) {
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
    const answers = await Promise.all(listed.map(async (one) => [one, await drop(sender, login, one)] as const));
    for (const [{ kind, name }, answer] of answers) {
      removed.set(keyOf({ kind, name }), { kind, name });
      why.set(keyOf({ kind, name }), answer);
    }
  }
}

/** Asks the server to remove it; only a listing shows whether it is gone. */
export async function drop(sender: Sender, login: Account, entry: Entry): Promise<Answer> {
  // Unquoted, as it was created; quoted if the name could end the statement and start another one.
  const name = /[;"'\s]/.test(entry.name) ? `"${entry.name.replaceAll('"', '""')}"` : entry.name;
  const statement =
    entry.kind === "namespace"
      ? `DROP NAMESPACE IF EXISTS ${name} CASCADE`
      : `DROP USER IF EXISTS '${entry.name.replaceAll("'", "''")}'`;
  return await sender.sql(login, statement);
}

function keyOf(entry: Entry): string {
  return `${entry.kind} ${entry.name}`;
}
