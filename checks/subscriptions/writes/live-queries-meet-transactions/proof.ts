import { commitFirstEarly, takeBackFirst } from "../../../../src/faults/batches.ts";
import { changeFault, frameFault, rowIn, swapFault } from "../../../../src/faults/live.ts";

import { proveCheck } from "../../../../src/proof.ts";
import { cellText } from "../../../../src/wire/json.ts";
import { no, nothing, yes } from "../../../vocabulary/evidence.ts";
import type { Told } from "../told-rows.ts";
import { tableKinds, ways, waySpan, type Step } from "./batches.ts";
import type { Meeting } from "./early.ts";
import { liveQueriesMeetTransactions } from "./index.ts";

const row = (v: string) => ({ id: '"1"', v: `"${v}"` });
const was = { "1": row("was"), "2": row("was"), "3": row("was") };
const all = { "1": row("changed"), "3": row("was"), "11": row("one"), "12": row("two"), "13": row("second") };
const plan = { "13": 2, "11": 1, "12": 1, "1": 1, "2": 1 };
const events: readonly Told[] = [
  { kind: "insert", key: "13", row: row("first") },
  { kind: "insert", key: "11", row: row("one") },
  { kind: "insert", key: "12", row: row("two") },
  { kind: "update", key: "1", row: row("changed") },
  { kind: "delete", key: "2", row: null },
  { kind: "update", key: "13", row: row("second") },
];
const failed = no("SQL_EXECUTION_ERROR", "Statement 7 failed: duplicate key", "batchPart");

function stepFor(table: Step["table"], way: (typeof ways)[number]): Step {
  const said = way.isRefused ? failed : yes();
  const isDone = way.ends === "committed" || way.name === "failed without BEGIN";
  return { table, way: way.name, said, plan, before: was, after: isDone ? all : was, told: isDone ? events : [] };
}
const meeting: Meeting = { table: "USER", way: "held", said: yes(), delivered: true, shown: true, exchange: 4 };
const sound = {
  tables: tableKinds.map((table) => ({ steps: ways.map((way) => stepFor(table, way)), fenced: true, exchange: 3 })),
  meetings: tableKinds.flatMap((table) =>
    (["held", "plain", "held", "plain"] as const).map((way) => ({ ...meeting, table, way })),
  ),
};

/** The steps of one way, changed. */
const having = (name: string, change: Partial<Step>) => ({
  ...sound,
  tables: sound.tables.map((one) => ({
    ...one,
    steps: one.steps.map((step) => (step.way === name ? { ...step, ...change } : step)),
  })),
});
const unfenced = (seen: typeof sound) => ({
  ...seen,
  tables: seen.tables.map((one) => ({ ...one, fenced: false })),
});
const meeting0 = (change: Partial<Meeting>) => ({
  ...sound,
  meetings: sound.meetings.map((one, at) => (at === 0 ? { ...one, ...change } : one)),
});
const unshown = { delivered: true, shown: false } as const;
const heldUnshown = {
  ...sound,
  meetings: sound.meetings.map((one) => (one.way === "held" ? { ...one, ...unshown } : one)),
};

/** Keys of the first round: the way's number from 1, then which of its rows. */
const keyOf = (message: Parameters<typeof rowIn>[0]): number => Number(cellText(rowIn(message)["id"]));
const committedRow = (number: number) => (message: Parameters<typeof rowIn>[0]) => keyOf(message) === waySpan + number;
const failedWay = 1 + ways.findIndex(({ name }) => name === "failed without BEGIN");

export default proveCheck(liveQueriesMeetTransactions, {
  holds: [
    sound,
    // Only what is left at the end of it is delivered of a row that one transaction changes twice.
    having("committed", { told: events.filter((one) => one.row?.["v"] !== '"first"') }),
    // A server that undoes what ran before the failure.
    having("failed without BEGIN", { after: was, told: [] }),
  ],
  cannotTell: [
    unfenced(sound),
    // What the connection did not bring any more is not lost.
    unfenced(having("committed", { told: [] })),
    unfenced(having("failed without BEGIN", { told: events.slice(0, 5) })),
    // No transactions, or none of all changes.
    having("committed", { said: no("INVALID_SQL", "BEGIN is not supported", "parse"), after: was, told: [] }),
    having("committed", { after: was, told: [] }),
    having("rolled back", { after: all, told: events }),
    having("rolled back", { said: nothing(), told: events }),
    having("left open", { said: yes() }),
    having("failed without BEGIN", { said: nothing(), told: [] }),
    { ...sound, tables: sound.tables.slice(1) },
    { ...sound, tables: sound.tables.map((one) => ({ ...one, steps: one.steps.slice(1) })) },
    meeting0(unshown),
    meeting0({ delivered: false }),
    meeting0({ shown: null }),
    meeting0({ said: nothing() }),
    { ...sound, meetings: sound.meetings.slice(2) },
    // Reads that lag behind the events.
    { ...sound, meetings: sound.meetings.map((one) => ({ ...one, ...unshown })) },
  ],
  breaks: {
    toldUncommitted: {
      seen: heldUnshown,
      fault: commitFirstEarly("deliverBeforeCommit", /'held'/, 400),
      says: /of a SHARED table/,
    },
    lostInTransaction: {
      seen: having("committed", { told: events.filter(({ key }) => key !== "2") }),
      fault: changeFault("loseTheDeleteInATransaction", 1, () => [], committedRow(2)),
      says: /key (102|2);/,
    },
    toldRolledBack: {
      seen: having("rolled back", { told: events.slice(0, 1) }),
      fault: takeBackFirst("deliverAndTakeBack", /ROLLBACK$/),
      case: "SHARED, rolled back",
    },
    toldTwice: {
      seen: having("committed", { told: events.flatMap((one) => (one.key === "11" ? [one, one] : [one])) }),
      fault: changeFault("deliverInsertsTwice", 1, (message) => [message, message], committedRow(11)),
      case: "USER, committed",
    },
    outOfOrder: {
      seen: having("committed", { told: events.toReversed() }),
      fault: swapFault("swapChangesOfOneRow", committedRow(13), (_, second) => committedRow(13)(second)),
      case: "SHARED, committed",
    },
    toldOtherwise: {
      seen: having("committed", { told: events.map((one) => (one.key === "1" ? { ...one, row: row("was") } : one)) }),
      fault: changeFault(
        "deliverTheOldValue",
        1,
        (message) => [{ ...message, rows: [{ ...rowIn(message), v: "was" }] }],
        committedRow(1),
      ),
      says: /"was"/,
    },
    batchDiffers: {
      seen: having("failed without BEGIN", { told: [] }),
      fault: frameFault("deliverNothingOfFailedBatches", () => (message, { pass, fired }) => {
        if (message["type"] !== "change" || Math.floor(keyOf(message) / waySpan) !== failedWay) return pass(message);
        fired();
      }),
      case: "USER, failed without BEGIN",
    },
  },
});
