import { defineCheckOf, pass, unknown } from "../../../src/check.ts";
import { missingChanges } from "../../../src/history/changes.ts";
import { addressFault, isElsewhere, pathFault, placeOf, type Told } from "../../vocabulary/told-address.ts";
import { keyColumn, markColumn, writeText } from "../stream/marked-rows.ts";
import { coldChanges, coldDifference, coldSnapshot } from "./cold.ts";
import { snapshotDifference, wrongChanges } from "./judge.ts";
import { fenceMark, life } from "./observation.ts";
import { early, fence, steps } from "./steps.ts";

export const snapshotThenChanges = defineCheckOf(life, {
  id: "subscriptions/snapshot-then-changes",
  title: "A subscriber gets the rows, then each change exactly once",
  failureTitle: "A subscriber does not get the rows and then each change",
  description: `Subscribes to a table of ${early.length} rows; the snapshot must be those rows. Then ${steps.length} statements insert, update, set NULL and delete, new rows and old ones: each must be delivered once, as what it was, with the new and the old values; and what has been delivered can be read. The same with a table of ${coldSnapshot.length} rows, most of which were flushed: the snapshot must have each once, and an UPDATE and a DELETE of a flushed row must be delivered. The HTTP form, SUBSCRIBE TO, must return an address and a statement that a client can use as they are.`,
  blindTo:
    "A few rows, one at a time; subscriptions/every-change-arrives looks at many concurrent changes. An address on another host is not tried; subscriptions/told-address-matches judges its host and port.",
  risk: "A screen starts wrong, or goes wrong with the first change.",
  remedy: "Compare what the subscription delivers with SELECT on the same table.",
  covers: ["SUB-01"],
  level: "block",
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
    const unacknowledged = stepped.filter(({ outcome }) => outcome !== "ok").length;
    if (fenced) {
      const missing = missingChanges({ ...history, writes: stepped });
      if (missing[0] !== undefined) {
        found.lostChange(
          { change: writeText(missing[0].write), lost: missing.length, of: steps.length },
          { sent: seen },
        );
      }
      // What an event must contain depends on the statements before it.
      for (const wrong of unacknowledged > 0 ? [] : wrongChanges(history)) found.wrongChange(wrong, { sent: seen });
      // Only what was delivered can have been delivered too soon.
      if (table !== null && !table.some(([, mark]) => mark === fenceMark))
        found.toldTooSoon({ key: fence.key }, { sent: seen });
    }

    const { cold } = seen;
    const flushed = { case: "flushed rows", sent: cold };
    const coldOff = cold.why === null ? coldDifference(cold.snapshot) : undefined;
    if (coldOff !== undefined)
      found.wrongSnapshot({ rows: cold.snapshot.length, wanted: coldSnapshot.length, difference: coldOff }, flushed);
    const untold = cold.fenced
      ? cold.steps.filter(({ acknowledged, told: kinds }) => acknowledged && kinds.length === 0)
      : [];
    if (untold[0] !== undefined)
      found.lostChange({ change: untold[0].change, lost: untold.length, of: coldChanges.length }, flushed);

    if (!fenced)
      return unknown(`the fence row did not arrive${seen.notices.length > 0 ? `: ${seen.notices.join("; ")}` : ""}`);
    if (cold.why !== null) return unknown(`flushed rows: ${cold.why}`);
    if (!cold.fenced) return unknown("the fence row of the flushed table did not arrive");
    const refused = cold.steps.find(({ acknowledged }) => !acknowledged);
    if (refused !== undefined || cold.steps.length < coldChanges.length)
      return unknown(`${refused?.change ?? "a change of a flushed row"} was not acknowledged`);
    if (table === null) return unknown("the table could not be read at the end");
    if (unacknowledged > 0) return unknown(`${unacknowledged} of ${steps.length} statements were not acknowledged`);
    if (told.said.kind !== "ok")
      return unknown(`SUBSCRIBE TO over HTTP was answered with ${told.said.code} ${told.said.message}`);
    if (told.tried?.opening?.kind === "unsure")
      return unknown(`the subscription at ${told.address} did not begin: ${told.tried.opening.message}`);
    return pass(
      `${snapshot.length} rows, then ${steps.length} of ${steps.length} changes once each, and ${coldSnapshot.length} rows and ${coldChanges.length} changes of a flushed table; ${addressText(told)}`,
    );
  },
});

function addressText(told: Told): string {
  if (isElsewhere(told)) return `SUBSCRIBE TO returned an address on another host: ${told.address}`;
  if (placeOf(told) === undefined) return `${told.address} works`;
  return `the path of ${told.address} ${pathFault(told) === undefined ? "works" : "does not work"} where the server was reached`;
}
