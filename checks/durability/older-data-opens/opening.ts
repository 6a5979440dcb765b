/** What the newer release makes of a data folder of the older one. */
import type { Context } from "../../../src/check.ts";
import {
  cellText,
  rowsOf,
  saidOf,
  type Account,
  type NoOtherServer,
  type OtherServer,
  type Said,
} from "../../../src/server/target.ts";
import { differencesFrom } from "../digest.ts";
import { runToEnd, type Ended } from "../jobs.ts";
import {
  askOf,
  flushedLater,
  makeTables,
  nameOf,
  password,
  show,
  writeHalf,
  type AskAs,
  type Owner,
  type Place,
  type Shown,
} from "./places.ts";
import { resumeTopic, type TopicLeft, type TopicShown } from "./jobs-topic.ts";

/** The accounts that the older release makes, besides its root. */
export const roles = { alice: "user", bob: "user", carol: "service", dora: "dba" } as const;

export type LoggedIn = { readonly who: string; readonly kind: "in" | "refused" | "unsure"; readonly told: string };
/** `why` as the control says it, `words` as the server does. */
export type NotOpened = {
  readonly why: string;
  readonly ended: boolean;
  readonly words: string;
  readonly rootRefused: boolean;
};
export type Written = {
  readonly table: string;
  readonly owner: Owner;
  readonly statement: string;
  readonly said: Said;
};
/** `twin`: the same rows, written by the newer release; only where it answers about the older ones in another way. */
export type Opened = {
  readonly version: string | null;
  readonly logins: readonly LoggedIn[];
  readonly shown: readonly (Shown & { readonly twin: Shown | null })[];
  readonly topic: TopicShown | null;
  readonly writes: readonly Written[];
  readonly flush: Ended;
  /** Of the flushed table, after the flush. */
  readonly after: Shown | null;
};

export async function versionOf(server: OtherServer): Promise<string | null> {
  const sql = "SELECT metric_value FROM system.stats WHERE metric_name = 'server_version' LIMIT 2";
  const told = cellText(rowsOf(await server.sql(server.root, sql))?.[0]?.["metric_value"] ?? "");
  return told === "" ? null : told;
}

export function notOpened({ why, ended, lastWords, rootRefused = false }: NoOtherServer): NotOpened {
  return { why, ended, words: lastWords, rootRefused };
}

/** Each once: wrong passwords lock an account. */
export async function enterAll(
  server: OtherServer,
): Promise<{ readonly logins: readonly LoggedIn[]; readonly accounts: ReadonlyMap<Owner, Account> }> {
  const logins: LoggedIn[] = [];
  const accounts = new Map<Owner, Account>();
  for (const [who, role] of Object.entries(roles)) {
    const entry = await server.enter(who, password);
    if (entry.kind !== "in") {
      logins.push({ who, kind: entry.kind, told: entry.why });
      continue;
    }
    const other = entry.account.role === role ? "" : `the role is ${entry.account.role} and was ${role}`;
    logins.push({ who, kind: other === "" ? "in" : "refused", told: other });
    if (who === "alice" || who === "bob") accounts.set(who, entry.account);
  }
  return { logins, accounts };
}

export interface Before {
  readonly places: readonly Place[];
  readonly shown: readonly Shown[];
  readonly topic: TopicLeft;
}

/** Everything that a client does: log in, read, consume, write, flush and read again. */
export async function lookAt(
  server: OtherServer,
  context: Pick<Context, "need" | "poll" | "size">,
  { places, shown: before, topic }: Before,
): Promise<Opened> {
  const version = await versionOf(server);
  const { logins, accounts } = await enterAll(server);
  const askAs = askOf(server, accounts);
  const known = places.filter(({ owner }) => owner === "root" || accounts.has(owner));
  const shown = [];
  for (const [at, place] of known.entries()) {
    const now = await show(askAs, place);
    const was = before.find((one) => one.table === place.table && one.owner === place.owner);
    const twin = was === undefined || isSame(was, now) ? null : await twinOf(askAs, place, at, context);
    shown.push({ ...now, twin });
  }
  const resumed = topic.why === null ? await resumeTopic(server, context, topic) : null;
  const writes: Written[] = [];
  for (const place of known) writes.push(...(await writeTo(askAs, place)));
  const first = known.find(({ table }) => table === flushedLater);
  const flush = await runToEnd(server, context, server.root, `STORAGE FLUSH TABLE ${nameOf(first ?? { table: "" })}`);
  const after = first === undefined || flush.status !== "completed" ? null : await show(askAs, first);
  return { version, logins, shown, topic: resumed, writes, flush, after };
}

function isSame(was: Shown, now: Shown): boolean {
  const isAnswered = now.digest.every(({ lines }) => lines !== null) && now.types !== null;
  const types = JSON.stringify(was.types) === JSON.stringify(now.types);
  return isAnswered && types && differencesFrom(was.digest, now.digest).length === 0;
}

/** The same statements once more: what a release merely shows in another way, it shows so of these rows, too. */
async function twinOf(askAs: AskAs, place: Place, at: number, context: Pick<Context, "need">): Promise<Shown | null> {
  const namespace = `twin_${at}`;
  const name = ({ table }: Pick<Place, "table">): string => `${namespace}.${table}`;
  const root = askAs("root");
  let isMissing = false;
  const lenient: Pick<Context, "need"> = {
    need: (outcome, otherwise) => {
      try {
        return context.need(outcome, otherwise);
      } catch (error) {
        isMissing = true;
        throw error;
      }
    },
  };
  try {
    lenient.need(await root(`CREATE NAMESPACE ${namespace}`), "no namespace could be made");
    await makeTables(lenient, root, [place], name);
    for (const half of ["cold", "hot"] as const) await writeHalf(lenient, askAs, place, half, name);
  } catch (error) {
    // Without a twin, the difference counts.
    if (isMissing) return null;
    throw error;
  }
  return await show(askAs, place, name);
}

async function writeTo(askAs: AskAs, place: Place): Promise<Written[]> {
  const { owner, table, fresh } = place;
  const ask = askAs(owner);
  const name = nameOf(place);
  const written: Written[] = [];
  for (const [statement, sql] of [
    ["INSERT", `INSERT INTO ${name} (id, ${fresh.column}) VALUES (${fresh.id}, 'newer')`],
    ["UPDATE", `UPDATE ${name} SET ${fresh.column} = 'newest' WHERE id = ${fresh.id}`],
    ["DELETE", `DELETE FROM ${name} WHERE id = ${fresh.id}`],
  ] as const)
    written.push({ table, owner, statement, said: saidOf(await ask(sql)) });
  return written;
}
