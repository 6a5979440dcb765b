/**
 * Rows that are inserted once and never changed, read while and after they are written: the model and the names of Jepsen's
 * set checkers (`jepsen.checker`, set and set-full, github.com/jepsen-io/jepsen). An element is known from the moment when
 * its insert was acknowledged or a read that showed it had returned; every read that is sent later must show it.
 */
import { cellText } from "../wire/json.ts";
import { countWhile } from "./ascending.ts";
import { groupBy, readsIn, writesIn, type Operation, type Read, type Values, type Write } from "./history.ts";

export interface SetJudgement {
  /** Acknowledged inserts, by key. */
  readonly acknowledged: number;
  /** Unsure inserts that turned out to have taken effect. */
  readonly recovered: number;
  /** The answered read that was sent last; null where there is none. */
  readonly final: Read | null;
  /** Known before the final read was sent, and not in it. */
  readonly lost: readonly Write[];
  /** Known before a read was sent, not in it, and in the final read: shown late, or gone in between. */
  readonly stale: readonly { readonly write: Write; readonly read: Read }[];
  /** Shown by a read although no insert of the key was sent before that read returned, or only refused ones. */
  readonly unexpected: readonly { readonly row: Values; readonly read: Read }[];
  /** More than once in the same read. */
  readonly duplicated: readonly { readonly key: string; readonly times: number; readonly read: Read }[];
  /** Shown with other values than any insert of the key has. */
  readonly changed: readonly { readonly row: Values; readonly write: Write; readonly read: Read }[];
}

/** Judges inserts and reads of all rows. Other writes are not part of the model, and reads of one key are not looked at. */
export function judgeSet(operations: readonly Operation[], keyColumn: string): SetJudgement {
  const inserts = writesIn(operations).filter(({ kind }) => kind === "insert");
  const possible = groupBy(
    inserts.filter(({ outcome }) => outcome !== "refused"),
    ({ key }) => key,
  );
  const views = readsIn(operations).flatMap((read) =>
    read.key === null && read.rows !== null
      ? [{ read, rows: groupBy(read.rows, (row) => cellText(row[keyColumn])) }]
      : [],
  );
  const final = views.reduce<View | null>(
    (last, view) => (last === null || view.read.invokedAt >= last.read.invokedAt ? view : last),
    null,
  );
  const known = knownSince(inserts, views);
  const missing = missingIn(views, known, possible);
  const lost = missing.filter(({ view }) => view === final).map(({ write }) => write);
  const stale = missing.filter(({ write }) => final?.rows.has(write.key) === true);
  const acknowledged = new Set(inserts.flatMap(({ outcome, key }) => (outcome === "ok" ? [key] : [])));
  return {
    acknowledged: acknowledged.size,
    recovered: [...(final?.rows.keys() ?? [])].filter((key) => possible.has(key) && !acknowledged.has(key)).length,
    final: final?.read ?? null,
    lost,
    stale: stale.map(({ view, write }) => ({ write, read: view.read })),
    ...strangeRows(views, possible),
  };
}

interface View {
  readonly read: Read;
  readonly rows: ReadonlyMap<string, readonly Values[]>;
}

/** From when on each key must be shown. */
function knownSince(inserts: readonly Write[], views: readonly View[]): Map<string, number> {
  const known = new Map<string, number>();
  const learn = (key: string, at: number): void => {
    known.set(key, Math.min(at, known.get(key) ?? Infinity));
  };
  for (const { outcome, key, returnedAt } of inserts) if (outcome === "ok") learn(key, returnedAt);
  for (const { read, rows } of views) for (const key of rows.keys()) learn(key, read.returnedAt);
  return known;
}

/** Keys that a view had to show and does not. */
function missingIn(
  views: readonly View[],
  known: ReadonlyMap<string, number>,
  possible: ReadonlyMap<string, readonly Write[]>,
): { readonly view: View; readonly write: Write }[] {
  const byTime = [...known].toSorted(([, one], [, other]) => one - other);
  const times = Float64Array.from(byTime, ([, at]) => at);
  return views.flatMap((view) => {
    const due = countWhile(times, (at) => at < view.read.invokedAt);
    return byTime.slice(0, due).flatMap(([key]) => {
      const write = view.rows.has(key) ? undefined : possible.get(key)?.[0];
      return write === undefined ? [] : [{ view, write }];
    });
  });
}

function strangeRows(
  views: readonly View[],
  possible: ReadonlyMap<string, readonly Write[]>,
): Pick<SetJudgement, "unexpected" | "duplicated" | "changed"> {
  const unexpected: SetJudgement["unexpected"][number][] = [];
  const duplicated: SetJudgement["duplicated"][number][] = [];
  const changed: SetJudgement["changed"][number][] = [];
  for (const { read, rows } of views) {
    for (const [key, shown] of rows) {
      const writes = (possible.get(key) ?? []).filter(({ invokedAt }) => invokedAt <= read.returnedAt);
      const [write] = writes;
      if (shown.length > 1) duplicated.push({ key, times: shown.length, read });
      for (const row of shown) {
        if (write === undefined) unexpected.push({ row, read });
        else if (!writes.some(({ values }) => hasValues(row, values))) changed.push({ row, write, read });
      }
    }
  }
  return { unexpected, duplicated, changed };
}

/** Whether a row has these values, as far as it shows their columns. 64-bit integers come as text. */
export function hasValues(row: Values, values: Values): boolean {
  for (const column in values) {
    const [shown, value] = [row[column], values[column]];
    if (shown === undefined || shown === value) continue;
    if (shown === null || value === null || cellText(shown) !== cellText(value)) return false;
  }
  return true;
}
