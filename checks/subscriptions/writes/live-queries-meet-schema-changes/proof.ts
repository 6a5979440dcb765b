import { changeFault, frameFault, rowIn } from "../../../../src/faults/live.ts";
import { proveCheck } from "../../../../src/proof.ts";
import { isRecord, type Json } from "../../../../src/wire/json.ts";
import { latePace, no, nothing, promptPace, slowPace, yes } from "../../../vocabulary/evidence.ts";
import { noOpening, ready, refusal } from "../../../vocabulary/opening-evidence.ts";
import type { Told } from "../told-rows.ts";
import type { Altered } from "./altering.ts";
import { cases, tableKinds } from "./cases.ts";
import { liveQueriesMeetSchemaChanges } from "./index.ts";

type Message = { readonly [key: string]: Json };

const rows = {
  "1": { id: '"1"', v: '"was"', w: '"added later"' },
  "2": { id: '"2"', v: '"new"', w: '"added"' },
  "4": { id: '"4"', v: '"stays"' },
};
const told: readonly Told[] = [
  { kind: "insert", key: "2", row: rows["2"] },
  { kind: "update", key: "1", row: rows["1"] },
];
const noColumn = no("SQL_EXECUTION_ERROR", "Schema error: No field named n", "missing");

const altered: readonly Altered[] = cases.map(({ name, isOutdated = false }, at) => ({
  table: tableKinds[at % 2] ?? "USER",
  case: name,
  isOutdated,
  alter: yes(),
  write: yes(),
  select: isOutdated ? noColumn : yes(),
  rows: isOutdated ? {} : rows,
  keys: ["1", "2", "4"],
  told: isOutdated ? [] : told,
  ended: isOutdated ? ["SUBSCRIPTION_FAILED No field named n"] : [],
  pace: promptPace,
  fenced: true,
  again: isOutdated ? null : { opening: ready(), columns: ["w", "id", "v"], rows },
  columns: isOutdated ? [] : ["id", "v", "w"],
  exchange: 3,
}));
const sound = { altered };
/** The first case, or the first one whose own SELECT is refused, changed. */
const having = (change: Partial<Altered>, isOutdated = false) => {
  const chosen = altered.find((one) => one.isOutdated === isOutdated);
  return { altered: altered.map((one) => (one === chosen ? { ...one, ...change } : one)) };
};
const silent = { told: [], pace: latePace };
const lives = { ended: [], pace: latePace };
const again = { opening: ready(), columns: ["id", "v", "w"], rows };

/** Rows with the column that was added or that another was renamed to. */
const isOfNewShape = (message: Message): boolean => "w" in rowIn(message);

export default proveCheck(liveQueriesMeetSchemaChanges, {
  holds: [
    sound,
    // Ended instead of going on.
    having({ told: [], ended: ["TABLE_CHANGED subscribe again"] }),
    having({ told: [], ended: ["closed 1001 schema changed at an age of 1 s"], fenced: false }),
    having({ alter: no("INVALID_SQL", "Unsupported ALTER TABLE operation", "parse"), write: nothing(), told: [] }),
  ],
  cannotTell: [
    having({ alter: nothing() }),
    having({ write: nothing(), told: [] }),
    having({ select: nothing(), again: null, ...silent }),
    having({ select: noColumn, rows: {}, again: null, ...silent }),
    having({ rows: {}, told: [], again: null }),
    having({ ...silent, fenced: false }),
    // A server that is slow altogether is not accused.
    having({ told: [], pace: slowPace }),
    having({ ended: [], pace: slowPace }, true),
    having({ ended: [], told, pace: slowPace }, true),
    having({ told: [], ended: ["closed 1006 at an age of 1 s"], fenced: false }),
    having({ keys: null }, true),
    having({ select: nothing(), ...lives }, true),
    having({ again: { ...again, opening: noOpening() } }),
    having({ again: { ...again, opening: refusal("SUBSCRIPTION_LIMIT_EXCEEDED") } }),
    { altered: altered.slice(0, 3) },
  ],
  breaks: {
    silentAfterAlter: {
      seen: having(silent),
      fault: changeFault("dropRowsOfANewShape", 1, () => [], isOfNewShape),
      case: "USER, a column added",
    },
    wrongShape: {
      seen: having({ again: { ...again, columns: ["id", "v"] } }),
      // A live query that keeps the columns it began with.
      fault: changeFault(
        "keepTheOldShape",
        1,
        (message) => {
          const { w: _, ...row } = rowIn(message);
          return [{ ...message, rows: [row] }];
        },
        isOfNewShape,
      ),
    },
    outlivesItsColumn: {
      seen: having({ ...lives, told }, true),
      fault: frameFault("goOnWithoutTheColumn", () => (message, { pass, fired }) => {
        const { type, code, subscription_id: id } = message;
        if (type !== "error" || code !== "SUBSCRIPTION_FAILED" || id === undefined) return pass(message);
        fired();
        for (const key of ["2", "1"])
          pass({ type: "change", subscription_id: id, change_type: "insert", rows: [{ id: key }] });
      }),
    },
    refusedAgain: {
      seen: having({ again: { ...again, opening: refusal("SUBSCRIPTION_FAILED", "Schema mismatch") } }),
      fault: frameFault("refuseNewShapes", () => (message, { pass, fired }) => {
        const { type, schema, subscription_id: id } = message;
        const isNew = (column: Json): boolean => isRecord(column) && column["name"] === "w";
        const columns = Array.isArray(schema) ? (schema as readonly Json[]) : [];
        if (type !== "subscription_ack" || id === undefined || !columns.some(isNew)) return pass(message);
        fired();
        pass({ type: "error", subscription_id: id, code: "SUBSCRIPTION_FAILED", message: "Schema mismatch" });
      }),
      case: "USER, a column added, opened again",
    },
  },
  mayBeLost: [
    {
      what: /^INSERT INTO \S+\.calm /,
      because:
        "a live query that has ended is not expected to deliver anything; without its row, an open one is undetermined",
    },
  ],
});
