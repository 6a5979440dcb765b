/** Subscribing with filters, and reading what each of them delivered and what SELECT returns for it. */
import {
  cellText,
  rowsOf,
  type Account,
  type Live,
  type Subscription,
  type Target,
} from "../../../src/server/target.ts";
import { tryToSubscribe, type Opening, type TriedSubscription } from "../../vocabulary/opening.ts";
import { holdAgainst, predicates, steps, type Filtered, type Selected } from "./filter-history.ts";

/** Key of the row that is written last. */
export const fenceId = 1_000;

/** How many of the statements a connection's subscription without a filter delivered, and whether the fence row arrived. */
export type Control = { readonly delivered: number; readonly fenced: boolean; readonly opening: Opening };

interface WithFilter extends TriedSubscription {
  readonly name: string;
  readonly where: string;
}

interface Opened {
  readonly control: TriedSubscription;
  readonly filters: readonly WithFilter[];
}

/** A subscription without a filter, then one for each filter, under its name. */
export async function open(live: Live, table: string, filters: typeof predicates): Promise<Opened> {
  const control = await tryToSubscribe(live, `SELECT * FROM ${table}`, {}, "no-filter");
  const opened: WithFilter[] = [];
  for (const { name, where } of filters) {
    const sql = `SELECT * FROM ${table} WHERE ${where}`;
    opened.push({ name, where, ...(await tryToSubscribe(live, sql, {}, name.replaceAll(" ", "-"))) });
  }
  return { control, filters: opened };
}

/** What each filter has delivered so far. */
export function filteredBy({ filters }: Opened): Filtered[] {
  return filters.map(({ name, where, opening, pages, subscription }) => {
    const events = subscription.changes.map(({ kind, row, old }) => ({
      kind,
      id: cellText((row ?? old)?.["id"]),
      step: cellText((row ?? old)?.["step"]),
      gone: row === null,
    }));
    return {
      name,
      where,
      opening,
      snapshot: pages.flat().map((row) => cellText(row["id"])),
      events: events.filter(({ id }) => id !== String(fenceId)),
    };
  });
}

export function lacksEvents(one: Filtered, selected: Selected): boolean {
  if (one.opening.kind !== "ready") return false;
  return holdAgainst(one, selected, steps).disagreements.some(({ name }) => name === "lostByFilter");
}

/** How many of the statements a subscription without a filter has delivered. */
export function deliveredBy({ changes }: Subscription): number {
  return steps.filter(({ kind, id }, at) =>
    changes.some(({ row, old }) =>
      kind === "delete"
        ? row === null && cellText(old?.["id"]) === String(id)
        : cellText(row?.["step"]) === String(at + 1),
    ),
  ).length;
}

/** The keys each filter selects now, read in one request; null where it was not answered. */
export async function select(target: Target, as: Account, table: string): Promise<Selected[number] | null> {
  const parts = predicates.map(({ name, where }) => `SELECT '${name}' AS asked, id FROM ${table} WHERE ${where}`);
  const rows = rowsOf(await target.sql(as, `${parts.join(" UNION ALL ")} LIMIT 1000`));
  if (rows === undefined) return null;
  return Object.fromEntries(
    predicates.map(({ name }) => [name, rows.filter((row) => row["asked"] === name).map((row) => cellText(row["id"]))]),
  );
}
