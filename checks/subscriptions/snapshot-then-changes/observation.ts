/** A table from its first rows to its last change as a subscriber sees it, and what SUBSCRIBE TO over HTTP returns for it. */
import { defineObservation } from "../../../src/check.ts";
import type { DeliveredChange } from "../../../src/history/changes.ts";
import type { Values, Write } from "../../../src/history/history.ts";
import { cellText, type Answer } from "../../../src/server/target.ts";
import { fenceArrives, follow, noticesOf } from "../../vocabulary/following.ts";
import { plainRow } from "../../vocabulary/opening.ts";
import { writesOf, type PlannedWrite } from "../../vocabulary/operations.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { askOverHttp, tryAddress, type Told } from "../../vocabulary/told-address.ts";
import { seeCold, type Cold } from "./cold.ts";
import { deliveredOf, markColumn, markedColumns, marksIn, statementFor } from "../stream/marked-rows.ts";
import { early, fence, steps } from "./steps.ts";

export type Lived = {
  /** What SUBSCRIBE TO over HTTP answered, and whether it works. */
  readonly told: Told;
  readonly snapshot: readonly Values[];
  /** The early rows, then the steps. */
  readonly writes: readonly Write[];
  readonly changes: readonly DeliveredChange[];
  /** Key and mark of each row at the end; null where the table could not be read. */
  readonly table: readonly (readonly [string, string])[] | null;
  readonly fenced: boolean;
  readonly notices: readonly string[];
  readonly exchange: number;
  readonly cold: Cold;
};

export const fenceMark = cellText(fence.values[markColumn]);

export const life = defineObservation<Lived>({
  id: "subscriptions/snapshot-then-changes",
  touches: "scratch",
  needs: ["dba"],
  estimateMs: 900,
  estimateRequests: 26,
  async observe(target, context) {
    const op = await target.account("dba");
    const reader = await target.account("user", "reader");
    const table = await makeTable(target, context, op, `${context.scratch}.life`, { columns: markedColumns });
    const send = async (row: PlannedWrite): Promise<Answer> => await target.sql(reader, statementFor(table, [row]));
    const by = { client: 0 };
    const writes: Write[] = [];
    for (const row of early)
      writes.push(...writesOf(context.need(await send(row), "the first rows could not be written"), by, [row]));
    const told = await tryAddress(target, reader, await askOverHttp(target, reader, `SUBSCRIBE TO ${table}`));
    const { subscription, live, rows } = context.need(
      await follow(target, reader, `SELECT * FROM ${table}`),
      "the subscription did not begin",
    );
    for (const step of steps) writes.push(...writesOf(await send(step), by, [step]));
    await send(fence);
    const fenced = await fenceArrives(subscription, markColumn, fenceMark);
    return {
      told,
      snapshot: rows.map(plainRow),
      writes,
      table: await marksIn(target, reader, table),
      changes: subscription.changes.filter(({ row }) => row?.[markColumn] !== fenceMark).map(deliveredOf),
      fenced,
      notices: noticesOf(subscription, live),
      exchange: subscription.exchange,
      cold: await seeCold(target, context, op, reader),
    };
  },
});
