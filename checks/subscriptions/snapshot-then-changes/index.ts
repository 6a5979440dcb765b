import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { missingChanges, type DeliveredChange } from "../../../src/history/changes.ts";
import type { Values, Write } from "../../../src/history/history.ts";
import { cellText, type Answer } from "../../../src/server/target.ts";
import { fenceArrives, follow, noticesOf } from "../../vocabulary/following.ts";
import { plainRow } from "../../vocabulary/opening.ts";
import { writesOf, type PlannedWrite } from "../../vocabulary/operations.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import {
  deliveredOf,
  keyColumn,
  markColumn,
  markedColumns,
  marksIn,
  statementFor,
  writeText,
} from "../stream/marked-rows.ts";
import { addressFault, askOverHttp, isElsewhere, tryAddress, type Told } from "../told-address.ts";
import { snapshotDifference, wrongChanges } from "./judge.ts";
import { early, fence, steps } from "./steps.ts";

type Seen = {
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
};

const fenceMark = cellText(fence.values[markColumn]);

export const snapshotThenChanges = defineCheck({
  id: "subscriptions/snapshot-then-changes",
  title: "A subscriber gets the rows, then each change exactly once",
  failureTitle: "A subscriber does not get the rows and then each change",
  description: `Subscribes to a table of ${early.length} rows; the snapshot must be those rows. Then ${steps.length} statements insert, update, set NULL and delete, new rows and old ones: each must be delivered once, as what it was, with the new and the old values; and what has been delivered can be read. The HTTP form, SUBSCRIBE TO, must return an address and a statement that a client can use as they are.`,
  blindTo:
    "A few rows, one at a time; subscriptions/every-change-arrives looks at many concurrent changes. An address on another host is not tried.",
  risk: "A screen starts wrong, or goes wrong with the first change.",
  remedy: "Compare what the subscription delivers with SELECT on the same table.",
  covers: ["SUB-01"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: 14,
  findings: {
    deadAddress: {
      say: (d: { address: string; why: string }) => `SUBSCRIBE TO over HTTP sends clients to ${d.address}: ${d.why}`,
      risk: "Clients that connect where SUBSCRIBE TO sends them get no live query.",
      remedy: "Connect to /v1/ws at the server's own address, whatever SUBSCRIBE TO returns.",
    },
    wrongSnapshot: {
      say: (d: { rows: number; wanted: number; difference: string }) =>
        `the snapshot has ${d.rows} rows, expected ${d.wanted}: ${d.difference}`,
    },
    lostChange: {
      say: (d: { change: string; lost: number; of: number }) =>
        `${d.lost} of ${d.of} changes were not delivered, the first: ${d.change}`,
    },
    wrongChange: {
      say: (d: { change: string; told: string; wanted: string }) =>
        `${d.change} was delivered as ${d.told}; expected ${d.wanted}`,
    },
    toldTooSoon: {
      say: (d: { key: string }) =>
        `row ${d.key} was delivered as written, and a SELECT sent after that did not find it`,
      risk: "A client that reads a row as soon as it is notified does not find it.",
      remedy: "Use the values of the event, or retry the read.",
    },
  },
  async observe(target, context): Promise<Seen> {
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
    };
  },
  judge(seen, { found }) {
    const { told, snapshot, writes, changes, table, fenced } = seen;
    const address = told.said.kind === "ok" ? addressFault(told) : undefined;
    if (address !== undefined) found.deadAddress({ address: told.address, why: address }, { sent: told.said });
    const difference = snapshotDifference(snapshot, early);
    if (difference !== undefined)
      found.wrongSnapshot({ rows: snapshot.length, wanted: early.length, difference }, { sent: seen });

    const history = { keyColumn, markColumn, writes, delivered: changes, table: table ?? [] };
    // The early rows are what a change finds, and have no events of their own.
    const stepped = writes.slice(early.length);
    if (fenced) {
      const missing = missingChanges({ ...history, writes: stepped });
      if (missing[0] !== undefined) {
        found.lostChange(
          { change: writeText(missing[0].write), lost: missing.length, of: steps.length },
          { sent: seen },
        );
      }
      for (const wrong of wrongChanges(history)) found.wrongChange(wrong, { sent: seen });
      // Only what was delivered can have been delivered too soon.
      if (table !== null && !table.some(([, mark]) => mark === fenceMark))
        found.toldTooSoon({ key: fence.key }, { sent: seen });
    }

    if (!fenced)
      return unknown(`the fence row did not arrive${seen.notices.length > 0 ? `: ${seen.notices.join("; ")}` : ""}`);
    if (table === null) return unknown("the table could not be read at the end");
    const unacknowledged = stepped.filter(({ outcome }) => outcome !== "ok").length;
    if (unacknowledged > 0) return unknown(`${unacknowledged} of ${steps.length} statements were not acknowledged`);
    if (told.said.kind !== "ok")
      return unknown(`SUBSCRIBE TO over HTTP was answered with ${told.said.code} ${told.said.message}`);
    if (told.tried !== null && told.tried.opening?.kind !== "ready")
      return unknown(`the subscription at ${told.address} did not begin: ${told.tried.opening?.message ?? ""}`);
    const reached = isElsewhere(told)
      ? `SUBSCRIBE TO returned an address on another host: ${told.address}`
      : `${told.address} works`;
    return pass(`${snapshot.length} rows, then ${steps.length} of ${steps.length} changes once each; ${reached}`);
  },
});
