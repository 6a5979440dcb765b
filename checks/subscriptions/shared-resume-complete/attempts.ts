/** Resuming a live query on a SHARED table with a cursor that must be rejected, or that may have expired. */
import type { Context } from "../../../src/check.ts";
import { cellText, type Account, type SubscribeOptions, type Target } from "../../../src/server/target.ts";
import { connect, follow } from "../../vocabulary/following.ts";
import { tryToSubscribe, type Opening } from "../../vocabulary/opening.ts";
import { resumeOptions, type ResumedTable } from "../../vocabulary/resuming/index.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

export const wrongDomains = ["without its domain", "with another table's domain", "after DROP and CREATE"] as const;

/** One attempt to resume; `why`: it could not be made. */
export type Attempt = { readonly case: string; readonly opening: Opening | null; readonly why: string };

/** More than a server must keep: 1,024 is documented. */
const manyRows = 1_100;

/** A cursor that many changes have left behind: it was rejected, or how many of the rows after it were delivered. */
export type Old = {
  readonly opening: Opening | null;
  readonly written: number;
  readonly delivered: number;
  readonly why: string;
};

const columns = "id BIGINT PRIMARY KEY, mark TEXT";

export async function makeShared(
  target: Target,
  context: Context,
  name: string,
): Promise<ResumedTable & { writer: Account }> {
  const [writer, user] = [await target.account("dba"), await target.account("user", "resumes")];
  const table = `${context.scratch}.${name}`;
  await sharedTable(target, context, writer, table, { columns, readers: ["user"] });
  return { target, user, writer, table };
}

type Kept = { readonly options: SubscribeOptions } | { readonly why: string };

/** Where a client would go on from that leaves the table now. */
async function cursorOf({ target, user, writer = user, table }: ResumedTable, key: number): Promise<Kept> {
  const written = await target.sql(writer, `INSERT INTO ${table} (id, mark) VALUES (${key}, 'kept')`);
  if (written.kind !== "ok") return { why: "a row could not be written" };
  const following = await follow(target, user, `SELECT * FROM ${table}`);
  if ("why" in following) return following;
  following.live.close();
  const options = resumeOptions(following.subscription);
  if (options?.versionDomain === undefined) return { why: "the acknowledgement has no version domain" };
  return { options };
}

/** Tries the cursor of one table without its domain, with another's, and after the table was made again. */
export async function tryWrongDomains(
  made: ResumedTable & { readonly writer: Account },
  context: Context,
): Promise<Attempt[]> {
  const { target, user, writer, table } = made;
  const [kept, other] = [await cursorOf(made, 1), await makeShared(target, context, "another")];
  const another = await cursorOf(other, 1);
  const why = "why" in kept ? kept.why : "why" in another ? another.why : "";
  if ("why" in kept || "why" in another) return wrongDomains.map((name) => ({ case: name, opening: null, why }));
  const { from, versionDomain } = kept.options;
  const { versionDomain: domainOfAnother } = another.options;
  const cursor = from === undefined ? {} : { from };
  const attempts: Attempt[] = [];
  const attempt = async (name: string, options: SubscribeOptions): Promise<void> => {
    const live = await connect(target, user);
    if ("why" in live) {
      attempts.push({ case: name, opening: null, why: live.why });
      return;
    }
    const { opening } = await tryToSubscribe(live, `SELECT * FROM ${table}`, options);
    live.close();
    attempts.push({ case: name, opening, why: "" });
  };
  await attempt(wrongDomains[0], cursor);
  await attempt(wrongDomains[1], domainOfAnother === undefined ? {} : { ...cursor, versionDomain: domainOfAnother });
  context.need(await target.sql(writer, `DROP TABLE ${table}`), `the table ${table} could not be dropped`);
  await sharedTable(target, context, writer, table, { columns, readers: ["user"] });
  await attempt(wrongDomains[2], versionDomain === undefined ? {} : { ...cursor, versionDomain });
  return attempts;
}

/** Leaves, writes more rows than a server must keep the changes of, and resumes. */
export async function resumeOld(made: ResumedTable & { readonly writer: Account }): Promise<Old> {
  const { target, user, writer, table } = made;
  const none = (why: string): Old => ({ opening: null, written: manyRows, delivered: 0, why });
  const kept = await cursorOf(made, 1);
  if ("why" in kept) return none(kept.why);
  const rows = Array.from({ length: manyRows }, (_, at) => `(${at + 10}, 'later')`);
  const written = await target.sql(writer, `INSERT INTO ${table} (id, mark) VALUES ${rows.join(", ")}`);
  if (written.kind !== "ok") return none("the rows could not be written");
  const live = await connect(target, user);
  if ("why" in live) return none(live.why);
  const { subscription, opening, pages } = await tryToSubscribe(live, `SELECT * FROM ${table}`, kept.options);
  const fence = "the last row";
  await target.sql(writer, `INSERT INTO ${table} (id, mark) VALUES (9, '${fence}')`);
  const fenced =
    opening.kind !== "ready" ||
    (await subscription.untilChange(({ row }) => cellText(row?.["mark"]) === fence, 8_000)) !== undefined;
  live.close();
  const keys = [...pages.flat(), ...subscription.changes.map(({ row }) => row)].flatMap((row) =>
    cellText(row?.["mark"]) === "later" ? [cellText(row?.["id"])] : [],
  );
  const why = fenced ? "" : "the last row did not arrive after resuming with an old cursor";
  return { opening, written: manyRows, delivered: new Set(keys).size, why };
}
