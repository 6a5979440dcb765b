/** Tables that are dropped with their rows and made again under the same name. */
import type { Context } from "../../../src/check.ts";
import { listed, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { flushToSegments } from "../../vocabulary/cold.ts";

export const kinds = [
  { type: "USER", more: "", cold: true },
  { type: "SHARED", more: ", ACCESS_LEVEL='PUBLIC'", cold: true },
  { type: "STREAM", more: ", TTL_SECONDS=3600", cold: false },
] as const;

type Kind = (typeof kinds)[number];

/** The keys that a read showed; null where it was not answered with rows. */
type Read = { readonly keys: readonly string[] | null; readonly said: Said };

export type Recreated = {
  readonly type: string;
  readonly before: Read;
  /** How many rows lay in segments before the drop; null where that was not seen. */
  readonly cold: number | null;
  readonly steps: readonly Said[];
  readonly dropped: Read;
  readonly again: Read;
  readonly byOldKey: Read;
  /** Putting in a row under a key that an old one had. */
  readonly inserted: Said;
  readonly withNew: Read;
  readonly flushedNew: Read;
};

/** Drops a table with rows and makes it again, and looks at it with a plain user's eyes. */
export async function recreate(
  target: Target,
  context: Context,
  op: Account,
  user: Account,
  kind: Kind,
): Promise<Recreated> {
  const t = `${context.scratch}.again_${kind.type.toLowerCase()}`;
  const writer = kind.type === "SHARED" ? op : user;
  const scope = kind.type === "SHARED" ? "shared" : user.name;
  const create = `CREATE TABLE ${t} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='${kind.type}'${kind.more})`;
  const steps: Said[] = [];
  const step = async (as: Account, sql: string): Promise<void> => {
    steps.push(saidOf(await target.sql(as, sql)));
  };
  const read = async (where = ""): Promise<Read> => {
    const answer = await target.sql(user, `SELECT id FROM ${t}${where} ORDER BY id LIMIT 50`);
    return { keys: listed(answer) ?? null, said: saidOf(answer) };
  };
  await step(op, create);
  await step(writer, `INSERT INTO ${t} (id, v) VALUES (1, 'old'), (2, 'old')`);
  const segments = kind.cold ? await flushToSegments(target, context, op, t, [scope]) : null;
  await step(writer, `INSERT INTO ${t} (id, v) VALUES (3, 'old')`);
  const before = await read();
  await step(op, `DROP TABLE ${t}`);
  const dropped = await read();
  await step(op, create);
  const again = await read();
  const byOldKey = await read(" WHERE id = 2");
  const inserted = saidOf(await target.sql(writer, `INSERT INTO ${t} (id, v) VALUES (1, 'new'), (4, 'new')`));
  const withNew = await read();
  if (kind.cold) await flushToSegments(target, context, op, t, [scope]);
  const flushedNew = await read();
  const cold = segments === null || typeof segments === "string" ? null : (segments[scope] ?? 0);
  return { type: kind.type, before, cold, steps, dropped, again, byOldKey, inserted, withNew, flushedNew };
}

const oldKeys = "1,2,3";
const newKeys = ["1", "4"];

/** Where a row is seen that was dropped: the first moment. A drop that was refused drops nothing. */
export function oldRows({ type, steps, dropped, again, byOldKey, inserted, withNew, flushedNew }: Recreated) {
  if (steps.some(({ kind }) => kind !== "ok")) return [];
  const [, , , drop] = steps;
  const moments: readonly (readonly [string, Read, readonly string[]])[] = [
    ["after the drop", dropped, []],
    ["at once", again, []],
    ["by key", byOldKey, []],
    ["beside new rows", withNew, newKeys],
    ["after a flush", flushedNew, newKeys],
  ];
  for (const [when, { keys, said }, wanted] of moments) {
    const old = (keys ?? []).filter((key, at, all) => !wanted.includes(key) || all.indexOf(key) !== at);
    if (old.length > 0) return [finding(type, when, old, drop, said)];
  }
  if (inserted.why !== "constraint" && inserted.why !== "exists") return [];
  return [finding(type, `only to the new ones, which are refused (${inserted.message})`, ["1"], drop, inserted)];
}

/** Where a new row is missing that was acknowledged: what tidies up after the drop took it along. */
export function lostRows({ type, inserted, withNew, flushedNew }: Recreated) {
  if (inserted.kind !== "ok") return [];
  for (const [when, { keys, said }] of [
    ["at once", withNew],
    ["after a flush", flushedNew],
  ] as const) {
    const lost = keys === null ? [] : newKeys.filter((key) => !keys.includes(key));
    if (lost.length > 0)
      return [
        {
          name: "newRowsLost" as const,
          case: type,
          data: { type, when, keys: lost },
          sent: [inserted.exchange, said.exchange],
        },
      ];
  }
  return [];
}

function finding(type: string, when: string, keys: readonly string[], ...said: readonly (Said | undefined)[]) {
  const sent = said.flatMap((one) => (one === undefined ? [] : [one.exchange]));
  return { name: "oldRowsBack" as const, case: type, data: { type, when, keys }, sent };
}

/** Why what was seen does not show that a dropped table is gone; undefined if it does. */
export function doubtOf({ type, cold }: Kind, seen: Recreated | undefined): string | undefined {
  if (seen === undefined) return `no ${type} table was dropped and made again`;
  const broken = [...seen.steps, seen.inserted].find(({ kind }) => kind !== "ok");
  if (broken !== undefined) return `${type}: a step did not work: ${broken.message}`;
  if (seen.before.keys?.join() !== oldKeys) return `${type}: the rows to be dropped were not all there`;
  if (cold && (seen.cold ?? 0) < 2) return `${type}: the rows to be dropped were not seen in cold storage`;
  if (seen.dropped.said.kind === "ok" || isUnanswered(seen.dropped.said))
    return `${type}: it was not seen to be gone: ${seen.dropped.said.message}`;
  if (seen.again.keys === null || seen.byOldKey.keys === null)
    return `${type}: it could not be read once it was made again`;
  for (const { keys } of [seen.withNew, seen.flushedNew])
    if (keys?.join() !== newKeys.join())
      return `${type}: the new rows are not all there: ${keys?.join(", ") ?? "unread"}`;
  return undefined;
}

function isUnanswered({ status, why }: Said): boolean {
  return status === null || status >= 500 || why === "rate";
}
