/** Faults of live queries that hang on what is in the rows, where they are stored, and what else the connection has. */
import type { Fault } from "../../proof.ts";
import { cellText, isExact, isRecord, writeExact, type Json } from "../../wire/json.ts";
import { changeFault, connectionFault, frameFault, rowIn } from "../live.ts";
import { sqlFault } from "../sql.ts";
import { member, type Member } from "./member.ts";

type Message = { readonly [key: string]: Json };

const rowsOf = (message: Message): readonly Json[] =>
  Array.isArray(message["rows"]) ? (message["rows"] as readonly Json[]) : [];
const idOf = (message: Message): string => cellText(message["subscription_id"]);

/** The keys that a statement writes, as far as it names them. */
function keysIn(sql: string): readonly string[] {
  if (!/^INSERT/i.test(sql)) return [...sql.matchAll(/ WHERE id = (-?\d+)$/gi)].map(([, key = ""]) => key);
  return [...sql.matchAll(/[(](-?\d+),/g)].map(([, key = ""]) => key);
}

/** Of subscriptions to tables that were flushed before: what to do with each frame. `keys` are those written before the flush. */
function onFlushed(
  name: string,
  meddle: (message: Message, keys: ReadonlySet<string>) => readonly Message[] | undefined,
): Fault {
  return {
    name,
    wrap(wire, fired) {
      const written = new Map<string, Set<string>>();
      const flushed = new Map<string, ReadonlySet<string>>();
      // Rows of a USER table can be read by their user alone, so the statements tell what was written.
      const noting = sqlFault("", async (sql) => {
        const table = /^(?:INSERT INTO|UPDATE|STORAGE FLUSH TABLE) (\S+)/i.exec(sql)?.[1] ?? "";
        const keys = written.get(table) ?? new Set();
        written.set(table, new Set([...keys, ...keysIn(sql)]));
        if (/^STORAGE/i.test(sql)) flushed.set(table, keys);
        return await Promise.resolve(undefined);
      }).wrap(wire, () => {});
      const live = connectionFault("", () => {
        const tables = new Map<string, string>();
        return {
          sent({ subscription }) {
            if (subscription !== undefined && isRecord(subscription))
              tables.set(cellText(subscription["id"]), / FROM (\S+)/i.exec(cellText(subscription["sql"]))?.[1] ?? "");
            return undefined;
          },
          got(message) {
            const keys = flushed.get(tables.get(idOf(message)) ?? "");
            return keys === undefined ? undefined : meddle(message, keys);
          },
        };
      }).wrap(wire, fired);
      return { ...live, exchange: noting.exchange };
    },
  };
}

const keyOf = (row: Json): string => (isRecord(row) ? cellText(row["id"] ?? null) : "");

/** Snapshots without the rows that were written before the flush. */
const withoutFlushed = (name: string): Fault =>
  onFlushed(name, (message, keys) => {
    const rows = rowsOf(message).filter((row) => !keys.has(keyOf(row)));
    const isOther = message["type"] === "initial_data_batch" && rows.length < rowsOf(message).length;
    return isOther ? [{ ...message, rows }] : undefined;
  });

/** Changed cells in all frames of one type; system columns stay. */
function inFrames(name: string, type: string, change: (cell: Json) => Json): Fault {
  return frameFault(name, () => (message, { pass, fired }) => {
    if (message["type"] !== type) return pass(message);
    const rows = rowsOf(message).map((row) =>
      isRecord(row)
        ? Object.fromEntries(
            Object.entries(row).map(([column, cell]) => [column, column.startsWith("_") ? cell : change(cell)]),
          )
        : row,
    );
    const other = { ...message, ...(message["rows"] === undefined ? {} : { rows }) };
    if (writeExact(other) === writeExact(message)) return pass(message);
    fired();
    pass(other);
  });
}

const rounded = (cell: Json): Json =>
  isExact(cell) || (typeof cell === "string" && /^-?\d{16,19}$/.test(cell))
    ? String(BigInt(Number(cellText(cell))))
    : cell;

const allWrites = "subscriptions/live-queries-meet-all-writes";
const snapshotThenChanges = "subscriptions/snapshot-then-changes";

export const liveRowFaults: readonly Member[] = [
  member(
    "events",
    "Changes of flushed rows are not delivered",
    [`${snapshotThenChanges}/lostChange`],
    onFlushed("deliverNoChangesOfFlushedRows", (message, keys) =>
      message["type"] === "change" && message["change_type"] !== "insert" && keys.has(keyOf(rowIn(message)))
        ? []
        : undefined,
    ),
  ),
  member(
    "events",
    "The snapshot lacks rows that were flushed",
    [`${snapshotThenChanges}/wrongSnapshot`, "subscriptions/resume-complete/lostOnResume"],
    withoutFlushed("leaveFlushedRowsOut"),
  ),
  member(
    "events",
    "The snapshot has flushed rows twice",
    [`${snapshotThenChanges}/wrongSnapshot`],
    onFlushed("deliverFlushedRowsTwice", (message, keys) => {
      const cold = rowsOf(message).filter((row) => keys.has(keyOf(row)));
      return message["type"] === "initial_data_batch" && cold.length > 0
        ? [{ ...message, rows: [...rowsOf(message), ...cold] }]
        : undefined;
    }),
  ),
  member(
    "events",
    "An unsubscribe ends all subscriptions of the connection",
    ["subscriptions/unsubscribe-silences/othersEnded"],
    connectionFault("unsubscribeAll", () => {
      const ids = new Set<string>();
      return {
        sent({ type, subscription }) {
          if (subscription !== undefined && isRecord(subscription)) ids.add(cellText(subscription["id"]));
          if (type !== "unsubscribe" || ids.size < 2) return undefined;
          const all = [...ids].map((id) => ({ type, subscription_id: id }));
          ids.clear();
          return all;
        },
      };
    }),
  ),
  member(
    "events",
    "A subscription whose id was used and ended before gets no changes",
    ["subscriptions/unsubscribe-silences/deaf"],
    connectionFault("silenceUsedIds", () => {
      const ended = new Set<string>();
      return {
        sent(message) {
          if (message["type"] === "unsubscribe") ended.add(idOf(message));
          return undefined;
        },
        got: (message) => (message["type"] === "change" && ended.has(idOf(message)) ? [] : undefined),
      };
    }),
  ),
  member(
    "limits",
    "The third subscription of a connection gets no changes",
    ["subscriptions/parallel-subscriptions-separate/lostChange"],
    connectionFault("silenceTheThird", () => {
      const ids: string[] = [];
      return {
        sent({ subscription }) {
          if (subscription !== undefined && isRecord(subscription)) ids.push(cellText(subscription["id"]));
          return undefined;
        },
        got: (message) => (message["type"] === "change" && ids.indexOf(idOf(message)) === 2 ? [] : undefined),
      };
    }),
  ),
  member(
    "limits",
    "Changes of more than 8 KiB are not delivered",
    [`${allWrites}/lostWrite`, "subscriptions/compressed-frames-equal/differs"],
    changeFault(
      "dropLargeChanges",
      1,
      () => [],
      (change) => writeExact(change).length > 8_192,
    ),
  ),
  member(
    "encodings",
    "Characters beyond ASCII are question marks in changes",
    [`${allWrites}/eventDiffersFromRow`, "subscriptions/compressed-frames-equal/differs"],
    inFrames("askForOtherCharacters", "change", (cell) =>
      typeof cell === "string" ? cell.replace(/[^\p{ASCII}]/gu, "?") : cell,
    ),
  ),
  member(
    "numbers",
    "Integers of 64 bits are rounded in changes",
    [`${allWrites}/eventDiffersFromRow`],
    inFrames("roundInChanges", "change", rounded),
  ),
  member(
    "numbers",
    "Fractions are cut off in changes",
    [`${allWrites}/eventDiffersFromRow`],
    inFrames("cutFractionsInChanges", "change", (cell) => (typeof cell === "number" ? Math.trunc(cell) : cell)),
  ),
  member(
    "numbers",
    "Integers of 64 bits are rounded in snapshots",
    [`${allWrites}/eventDiffersFromRow`],
    inFrames("roundInSnapshots", "initial_data_batch", rounded),
  ),
];
