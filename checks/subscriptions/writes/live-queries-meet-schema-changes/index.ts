import { defineCheck, pass, unknown } from "../../../../src/check.ts";
import { openingText } from "../../../vocabulary/opening.ts";
import { isLate, paceText, whySlow, type Pace } from "../../../vocabulary/pace.ts";
import { sharedTable } from "../../../vocabulary/tables.ts";
import { differenceOf, isAnswered, keysText } from "../told-rows.ts";
import { alterUnder, rowsSeen, type Altered } from "./altering.ts";
import { cases, columns, tableKinds, writtenKeys } from "./cases.ts";

type Seen = { readonly altered: readonly Altered[] };

/** A case that was judged to its end; where a server lacks some changes of a table, the others must be as many. */
const judgedMin = 4;

export const liveQueriesMeetSchemaChanges = defineCheck({
  id: "subscriptions/live-queries-meet-schema-changes",
  title: "Live queries follow schema changes or end with an error",
  failureTitle: "Live queries fall silent or go wrong when a table changes",
  description: `While a live query is open its table is changed: ${cases.map(({ name }) => name).join("; ")}; in USER and SHARED tables. Then one row is inserted and one is changed. Either both are delivered with the columns and values that SELECT shows, or the live query ends with an error or its connection is closed. A live query whose own SELECT is refused now must end. The same live query, opened again, must begin with the columns and rows of SELECT.`,
  blindTo:
    "Rows of a dropped table that the client still has: whether a drop is reported at all is judged by subscriptions/missing-table-refused. Columns that change their type, and changes while rows are being written, are not tried.",
  risk: "A deployment that changes a table leaves clients that show old data, wait forever, or fail on rows of an unknown shape.",
  remedy: "Let clients subscribe again after each change of a table, or restart the server after a migration.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, service: 1 },
  estimateMs: 2_000,
  estimateRequests: 50,
  timeoutMs: 180_000,
  findings: {
    silentAfterAlter: {
      say: (d: Silent) =>
        `in a ${d.table} table, after ${d.case}, nothing was delivered of ${d.keys.length} of ${writtenKeys.length} rows, and the live query did not end, within ${d.pace.waitedMs} ms, ${paceText(d.pace)}`,
      timed: true,
    },
    wrongShape: {
      say: (d: Wrong) =>
        `in a ${d.table} table, after ${d.case}, rows were delivered differently from what SELECT shows: ${d.what}`,
    },
    outlivesItsColumn: {
      level: "warn",
      say: (d: { table: string; case: string; select: string; pace: Pace }) =>
        `in a ${d.table} table, after ${d.case}, the live query goes on although its own SELECT is refused, and did not end within ${d.pace.waitedMs} ms, ${paceText(d.pace)}; SELECT: ${d.select}`,
      risk: "A client reads rows that lack a column it selected, or that still have its last value, and takes them for current.",
      timed: true,
    },
    refusedAgain: {
      say: (d: Wrong) =>
        `in a ${d.table} table, after ${d.case}, its SELECT is answered, and the same live query cannot be opened any more: ${d.what}`,
      risk: "Clients cannot follow the table until the server is restarted.",
      remedy: "Restart the server after a change of a table.",
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const user = await target.account("user", "reader");
    const service = await target.account("service", "writer");
    const calm = await sharedTable(target, context, op, `${context.scratch}.calm`, { columns, readers: ["user"] });
    const tried = cases.slice(0, context.size({ light: 4, standard: cases.length, deep: cases.length }));
    const all = context.size({ light: 0, standard: 1, deep: 1 }) === 1;
    const altered: Altered[] = [];
    for (const [at, one] of tried.entries()) {
      // Both kinds at once: where live queries stay silent, each case is waited out.
      const kinds = all ? tableKinds : [tableKinds[at % tableKinds.length] ?? "USER"];
      const both = kinds.map(async (kind, nth) => {
        const number = altered.length + nth + 1;
        const table = `${context.scratch}.changed_${number}`;
        return await alterUnder(target, context, { op, user, service, calm }, { kind, table, one, number });
      });
      altered.push(...(await Promise.all(both)));
    }
    return { altered };
  },
  judge({ altered }, { found }) {
    const judged = altered.filter(({ alter, write }) => alter.kind === "ok" && write.kind === "ok");
    for (const one of judged) {
      const { table, case: name, pace, fenced, ended, again, select, exchange } = one;
      const shown = { case: `${table}, ${name}`, sent: [exchange, one.alter, one.write, select] };
      const keys = unheardOf(one);
      if (ended.length === 0 && fenced && isLate(pace) && keys.length > 0)
        found.silentAfterAlter({ table, case: name, keys, pace }, shown);
      else if (ended.length === 0 && fenced && isLate(pace) && isRefused(one))
        found.outlivesItsColumn({ table, case: name, select: select.message, pace }, shown);
      const wrong =
        select.kind === "ok" && ended.length === 0 && fenced ? rowsSeen(one).filter((row) => row.wrong !== null) : [];
      if (wrong[0] !== undefined) {
        const what = keysText(
          wrong.map(({ key }) => key),
          wrong[0].wrong ?? "",
        );
        found.wrongShape({ table, case: name, what }, shown);
      }
      if (again === null) continue;
      const { opening } = again;
      const anew = { case: `${table}, ${name}, opened again`, sent: [opening, select] };
      if (opening.kind === "refused" && opening.reason !== "limit")
        found.refusedAgain({ table, case: name, what: openingText(opening) }, anew);
      const differs = opening.kind === "ready" ? differenceAgain(one, again) : null;
      if (differs !== null) found.wrongShape({ table, case: name, what: `opened again, ${differs}` }, anew);
    }

    for (const one of altered) {
      const why = whyUnclear(one);
      if (why !== undefined) return unknown(`${one.table}, ${one.case}: ${why}`);
    }
    if (judged.length < judgedMin)
      return unknown(`only ${judged.length} changes of a table could be made; at least ${judgedMin} are needed`);
    const ends = judged.filter(({ ended }) => ended.length > 0);
    const missing = [...new Set(altered.filter((one) => !judged.includes(one)).map((one) => one.case))];
    return pass(
      [
        `${judged.length} changes of a table: ${judged.length - ends.length} live queries went on as SELECT shows the rows`,
        `${ends.length} ended${ends[0] === undefined ? "" : `, the first with ${ends[0].ended[0] ?? ""}`}`,
        ...(missing.length === 0 ? [] : [`not possible here: ${missing.join(", ")}`]),
      ].join("; "),
    );
  },
});

type Silent = { readonly table: string; readonly case: string; readonly keys: readonly string[]; readonly pace: Pace };
type Wrong = { readonly table: string; readonly case: string; readonly what: string };

/** Its own SELECT names a column that is not there any more. */
function isRefused({ isOutdated, select }: Altered): boolean {
  return isOutdated && select.kind !== "ok" && isAnswered(select);
}

/** Rows that are there and of which nothing was delivered. */
function unheardOf(one: Altered): string[] {
  if (one.select.kind === "ok") return rowsSeen(one).flatMap(({ key, lost }) => (lost ? [key] : []));
  if (!isRefused(one)) return [];
  return writtenKeys.filter((key) => one.keys?.includes(key) === true && !one.told.some((event) => event.key === key));
}

/** How a live query that was opened afterwards differs from SELECT; null if it does not. */
function differenceAgain(one: Altered, again: NonNullable<Altered["again"]>): string | null {
  const [told, shown] = [again.columns, one.columns].map((list) => list.toSorted().join(", "));
  if (told !== shown) return `its columns are ${told ?? ""}, those of SELECT ${shown ?? ""}`;
  const keys = [...new Set([...Object.keys(again.rows), ...Object.keys(one.rows)])];
  const odd = keys.flatMap((key) => {
    const difference = differenceOf(again.rows[key] ?? null, one.rows[key] ?? null);
    return difference === null ? [] : [`key ${key}: ${difference}`];
  });
  return odd[0] ?? null;
}

/** Why nothing is known of it; undefined where it was judged, or the server refuses this change of a table. */
function whyUnclear(one: Altered): string | undefined {
  const { alter, write, select, keys, ended, pace, fenced, again } = one;
  if (!isAnswered(alter)) return `the change of the table was not answered: ${alter.message}`;
  if (alter.kind !== "ok") return undefined;
  if (write.kind !== "ok") return `a row could not be written: ${write.message}`;
  if (!isAnswered(select)) return `SELECT was not answered: ${select.message}`;
  if (select.kind !== "ok" && !isRefused(one)) return `SELECT was refused: ${select.message}`;
  const missing = writtenKeys.find((key) =>
    select.kind === "ok" ? one.rows[key] === undefined : keys?.includes(key) !== true,
  );
  if (missing !== undefined) return `SELECT does not show the row with key ${missing}`;
  // Without a close frame it is the network that ended it.
  if (ended.some((text) => text.startsWith("closed 1006"))) return "its connection was lost";
  if (ended.length === 0 && !fenced) return "nothing more was delivered on its connection, not even of another table";
  const isOpen = ended.length === 0;
  if (isOpen && (isRefused(one) || unheardOf(one).length > 0)) return `no event and no end yet; ${whySlow(pace)}`;
  if (again !== null && again.opening.kind !== "ready") return `opened again: ${openingText(again.opening)}`;
  return undefined;
}
