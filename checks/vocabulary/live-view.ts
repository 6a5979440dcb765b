/** Open subscriptions as the server lists them. */
import { cellText, rowsOf, type Account, type Target } from "../../src/server/target.ts";

/** Up to 0.4.1 the view had the second name. */
const views = ["system.live", "system.live_queries"];

interface ListedQuery {
  readonly liveId: string;
  readonly subscriptionId: string;
  readonly table: string;
  readonly query: string;
}

/** The live queries of an account; null where no view can be read. */
export async function liveQueriesOf(target: Target, op: Account, who: Account): Promise<ListedQuery[] | null> {
  for (const view of views) {
    const rows = rowsOf(
      await target.sql(
        op,
        `SELECT live_id, subscription_id, namespace_id, table_name, query FROM ${view} WHERE user_id = '${who.name}' LIMIT 100`,
      ),
    );
    if (rows === undefined) continue;
    return rows.map((row) => ({
      liveId: cellText(row["live_id"]),
      subscriptionId: cellText(row["subscription_id"]),
      table: `${cellText(row["namespace_id"])}.${cellText(row["table_name"])}`,
      query: cellText(row["query"]),
    }));
  }
  return null;
}
