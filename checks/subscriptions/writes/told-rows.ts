/** What a live query delivered of single rows, and how that compares with what SELECT shows of them. */
import { createHash } from "node:crypto";
import type { Json } from "../../../src/wire/json.ts";
import { writeExact } from "../../../src/wire/json.ts";
import {
  cellText,
  isCleanRefusal,
  truncated,
  type Change,
  type Row,
  type Said,
  type Subscription,
} from "../../../src/server/target.ts";
import { plainRow } from "../../vocabulary/opening.ts";

/** The JSON of each cell by column, long ones by length and digest. NULLs are left out, as updates leave them out. */
export type Cells = { readonly [column: string]: string };
/** By key. */
export type Rows = { readonly [key: string]: Cells };
/** One event; `row` is null for a deleted one. */
export type Told = { readonly kind: string; readonly key: string; readonly row: Cells | null };

const cellMax = 120;
const startMax = 40;

function cellOf(value: Json): string {
  const text = writeExact(value);
  if (text.length <= cellMax) return text;
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return `${truncated(text, startMax)} (${text.length.toLocaleString("en-US")} characters, SHA-256 ${digest}…)`;
}

export function cellsOf(row: Row): Cells {
  return Object.fromEntries(
    Object.entries(plainRow(row)).flatMap(([column, value]) => (value === null ? [] : [[column, cellOf(value)]])),
  );
}

export function rowsByKey(rows: readonly Row[]): Rows {
  return Object.fromEntries(rows.map((row) => [cellText(row["id"]), cellsOf(row)]));
}

function toldOf({ kind, row, old }: Change): Told {
  return { kind, key: cellText((row ?? old)?.["id"]), row: row === null ? null : cellsOf(row) };
}

export function toldBy({ changes }: Pick<Subscription, "changes">): Told[] {
  return changes.map(toldOf);
}

/** What one step of a check wrote, by key, and what was seen of these keys. */
export type Written = {
  /** How many of its statements write each key. */
  readonly plan: { readonly [key: string]: number };
  readonly before: Rows;
  readonly after: Rows;
  readonly told: readonly Told[];
};

/** One key of a step. */
export interface KeySeen {
  readonly key: string;
  readonly events: number;
  /** SELECT shows another row than before. */
  readonly changed: boolean;
  /** Changed, and no event. */
  readonly lost: boolean;
  /** More events than statements that write it. */
  readonly repeated: boolean;
  /** How the last event differs from what SELECT shows; null where it does not, and where there is none. */
  readonly wrong: string | null;
  /** It differs, and an earlier event does not. */
  readonly outOfOrder: boolean;
}

/** Each key that the step was to write or that an event is about. */
export function keysSeen({ plan, before, after, told }: Written): KeySeen[] {
  const keys = [...new Set([...Object.keys(plan), ...told.map(({ key }) => key)])];
  return keys.map((key) => {
    const events = told.filter((one) => one.key === key);
    const shown = after[key] ?? null;
    const last = events.at(-1);
    const changed = differenceOf(before[key] ?? null, shown) !== null;
    const wrong = last === undefined ? null : differenceOf(last.row, shown);
    return {
      key,
      events: events.length,
      changed,
      lost: changed && events.length === 0,
      repeated: events.length > (plan[key] ?? 1),
      wrong,
      outOfOrder: wrong !== null && events.some(({ row }) => differenceOf(row, shown) === null),
    };
  });
}

/** Whether every change has an event and no last event differs. */
export function isSettled(written: Written): boolean {
  return keysSeen(written).every(({ lost, wrong }) => !lost && wrong === null);
}

/** The first difference between what an event and what SELECT says, in words; null if there is none. */
export function differenceOf(told: Cells | null, shown: Cells | null): string | null {
  if (told === null && shown === null) return null;
  if (told === null) return "delivered as deleted, and SELECT shows the row";
  if (shown === null) return "delivered, and SELECT shows no such row";
  const columns = [...new Set([...Object.keys(told), ...Object.keys(shown)])];
  const odd = columns.find((column) => told[column] !== shown[column]);
  if (odd === undefined) return null;
  return `column ${odd}: the event has ${told[odd] ?? "no value"}, SELECT shows ${shown[odd] ?? "no value"}`;
}

/** Of keys from `base` on. */
export function inSpan(rows: Rows, base: number, span: number): Rows {
  return Object.fromEntries(Object.entries(rows).filter(([key]) => isInSpan(key, base, span)));
}

export function isInSpan(key: string, base: number, span: number): boolean {
  return Number(key) >= base && Number(key) < base + span;
}

/** With success or an error of the statement; plain users are not told why. */
export function isAnswered(said: Said): boolean {
  return said.kind !== "unsure" || isCleanRefusal(said);
}

const sampleMax = 5;

/** Keys, and what the first of them shows, for sentences. */
export function keysText(keys: readonly string[], first: string): string {
  const some = `${keys.slice(0, sampleMax).join(", ")}${keys.length > sampleMax ? ", …" : ""}`;
  return `${keys.length === 1 ? "key" : "keys"} ${some}; ${keys.length === 1 ? "" : "the first: "}${first}`;
}
