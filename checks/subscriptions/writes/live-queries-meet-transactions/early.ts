/** Whether a row has been delivered before its transaction was committed: the subscriber asks for it as soon as it is delivered. */
import {
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Subscription,
  type Target,
} from "../../../../src/server/target.ts";
import { textIn } from "../../../vocabulary/following.ts";
import type { TableKind } from "./batches.ts";

export type Meeting = {
  readonly table: TableKind;
  /** `held`: in a transaction with queries between the row and COMMIT. `plain`: without one. */
  readonly way: "held" | "plain";
  readonly said: Said;
  readonly delivered: boolean;
  /** Whether a SELECT that was sent after the event shows the row; null where it was not answered. */
  readonly shown: boolean | null;
  /** The number of that SELECT. */
  readonly exchange: number;
};

interface Parties {
  readonly table: string;
  readonly kind: TableKind;
  readonly writer: Account;
  readonly reader: Account;
  readonly subscription: Subscription;
}

const queriesHeld = 10;
const firstKey = 900_001;
const deliveredWithinMs = 5_000;

export async function meetEarly(
  target: Target,
  { table, kind, writer, reader, subscription }: Parties,
  rounds: number,
): Promise<Meeting[]> {
  const meetings: Meeting[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const way of ["held", "plain"] as const) {
      const key = firstKey + 2 * round + (way === "held" ? 0 : 1);
      const insert = `INSERT INTO ${table} (id, v) VALUES (${key}, '${way}')`;
      const held = ["BEGIN", insert, ...Array.from({ length: queriesHeld }, () => `SELECT COUNT(*) FROM ${table}`)];
      const sent = target.sql(writer, way === "held" ? [...held, "COMMIT"].join("; ") : insert);
      const event = await subscription.untilChange((change) => textIn(change, "id") === String(key), deliveredWithinMs);
      const answer = await target.sql(reader, `SELECT id FROM ${table} WHERE id = ${key} LIMIT 1`);
      const rows = rowsOf(answer);
      meetings.push({
        table: kind,
        way,
        said: saidOf(await sent),
        delivered: event !== undefined,
        shown: rows === undefined ? null : rows.length > 0,
        exchange: answer.exchange,
      });
    }
  }
  return meetings;
}

/** One that is not shown may be a read that lags. */
export const unshownMin = 2;

/** Delivered, and not shown to a SELECT that was sent afterwards. */
export function isUnshown({ delivered, shown }: Meeting): boolean {
  return delivered && shown === false;
}
