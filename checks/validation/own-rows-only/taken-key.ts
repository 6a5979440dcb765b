/** Keys of a USER table belong to one user: whether an INSERT was refused because another user has the key. */
import type { Context } from "../../../src/check.ts";
import { cellText, rowsOf, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { afterAWhile } from "../../vocabulary/looking-again.ts";
import { digits, insertRows, newRow } from "../row-access/attempt.ts";
import type { Row } from "../row-access/ways.ts";

/** `id`: a key that another account of the run has and this one has not. */
export type TakenKey = {
  readonly as: string;
  readonly id: string;
  readonly message: string;
  readonly exchange: number;
};

/** Refused for a key, and not for NULL in a column or another constraint. */
export function isKeyRefusal({ kind, why, message, code }: Said): boolean {
  return kind === "refused" && why === "constraint" && !/not null/i.test(`${message} ${code}`.replaceAll("_", " "));
}

/**
 * After an INSERT was refused for its key: the account sees no row of its own, one of the keys alone is refused as well,
 * and a key that nobody has is accepted. Null if any of these is otherwise.
 */
export async function lookForTakenKey(
  target: Target,
  context: Pick<Context, "poll" | "random">,
  as: Account,
  table: string,
  [row]: readonly Row[],
): Promise<TakenKey | null> {
  if (row === undefined) return null;
  const keys = async (): Promise<readonly string[] | undefined> =>
    rowsOf(await target.sql(as, `SELECT id FROM ${table} LIMIT 50`))?.map(({ id }) => cellText(id));
  const before = await afterAWhile(context, keys);
  const again = saidOf(await target.sql(as, insertRows(table, [row])));
  const random = context.random(`${table} ${as.name}`);
  const free = newRow(random, digits(random, 8), as.role);
  const control = await target.sql(as, insertRows(table, [free]));
  const after = await keys();
  const isNobodys = before?.length === 0 && after?.length === 1 && after[0] === free.id;
  if (!isKeyRefusal(again) || control.kind !== "ok" || !isNobodys) return null;
  return { as: as.role, id: row.id, message: again.message, exchange: again.exchange };
}
