import { defineCheck, pass, unknown, type Context } from "../../../src/check.ts";
import {
  cellText,
  integerText,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
  truncated,
} from "../../../src/server/target.ts";
import { flushToSegments } from "../../vocabulary/cold.ts";
import { makeTable } from "../../vocabulary/tables.ts";

const kinds = ["USER", "SHARED"] as const;
const incrementsMin = 10;

/** What is read of the one row: by its key, without a condition, and counted. Null where it was not answered. */
type Look = {
  readonly when: string;
  readonly byKey: readonly string[] | null;
  readonly scanned: readonly string[] | null;
  readonly counted: string | null;
  readonly exchanges: readonly number[];
  /** Increments until then. */
  readonly acknowledged: number;
  readonly unsure: number;
};
type Seen = {
  readonly kind: string;
  readonly looks: readonly Look[];
  readonly unflushed: string | null;
  readonly refused: Said | null;
};

export const rapidUpdatesExact = defineCheck({
  id: "backpressure/rapid-updates-exact",
  title: "Updates in quick succession all take effect",
  failureTitle: "Updates in quick succession are lost or leave old versions",
  description:
    "Adds one to a number, in statements one right after the other (30, ten at light effort, 100 at deep), on a USER and on a SHARED table; then again after a flush, so that new versions meet old ones in cold storage. The number must be that of the acknowledged updates and the row must be there once, read by its key, by a scan and by COUNT, before and after each flush.",
  blindTo: "Updates by several clients at once, which is for the concurrency category.",
  risk: "Counters and balances are wrong, or a record is shown twice with an old state.",
  remedy: "Read a counter back after updating it, and compact the table where old versions show.",
  covers: ["BP-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 2_500,
  estimateRequests: 160,
  from: { effort: "standard", needs: "many updates in quick succession" },
  findings: {
    wrongValue: {
      say: (d: { kind: string; value: string; acknowledged: number; when: string; way: string }) =>
        `after ${d.acknowledged} acknowledged increments the number in a ${d.kind} table is ${d.value}, ${d.way} ${d.when}`,
    },
    extraVersions: {
      say: (d: { kind: string; rows: string; when: string; way: string }) =>
        `the one row of a ${d.kind} table is there ${d.rows} times, ${d.way} ${d.when}`,
      risk: "A record is shown twice, once with an old state, and sums are too high.",
    },
  },
  async observe(target, context) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const tables: readonly Seen[] = await Promise.all(
      kinds.map(async (kind) => await update(target, context, { op, as: kind === "USER" ? user : op, kind })),
    );
    return { tables };
  },
  judge({ tables }, { found }) {
    for (const { kind, looks } of tables) {
      for (const { when, byKey, scanned, counted, exchanges: sent, acknowledged, unsure } of looks) {
        const rows = [
          ["read by its key", byKey?.length],
          ["read by a scan", scanned?.length],
          ["counted", counted],
        ] as const;
        const about = { case: `${kind}, ${when}`, sent };
        const extra = rows.find(([, number]) => Number(number) > 1);
        if (extra !== undefined) found.extraVersions({ kind, rows: String(extra[1]), when, way: extra[0] }, about);
        if (counted !== null && Number(counted) === 0)
          found.wrongValue({ kind, value: "missing", acknowledged, when, way: "counted" }, about);
        for (const [way, values] of [
          ["read by its key", byKey],
          ["read by a scan", scanned],
        ] as const) {
          const wrong = values === null ? undefined : wrongIn(values, acknowledged, unsure);
          if (wrong !== undefined) found.wrongValue({ kind, value: wrong, acknowledged, when, way }, about);
        }
      }
    }
    if (tables.length < kinds.length) return unknown(`only ${tables.length} of ${kinds.length} table types were tried`);
    for (const { kind, looks, unflushed, refused } of tables) {
      if (refused !== null) return unknown(`${kind} table: an update was rejected: ${truncated(refused.message, 200)}`);
      const last = looks.at(-1);
      if (last === undefined || last.acknowledged < incrementsMin)
        return unknown(`${kind} table: only ${last?.acknowledged ?? 0} increments were acknowledged`);
      const unread = looks.find(
        ({ byKey, scanned, counted }) => byKey === null || scanned === null || counted === null,
      );
      if (unread !== undefined) return unknown(`${kind} table: it could not be read ${unread.when}`);
      if (unflushed !== null || looks.length < looksEach)
        return unknown(`${kind} table: ${unflushed ?? "too few readings"}`);
    }
    const total = tables.reduce((sum, { looks }) => sum + (looks.at(-1)?.acknowledged ?? 0), 0);
    return pass(`${total} increments on ${kinds.join(" and ")} tables, each counted once; one row each, hot and cold`);
  },
});

const looksEach = 4;

async function update(
  target: Target,
  context: Context,
  { op, as, kind }: { readonly op: Account; readonly as: Account; readonly kind: (typeof kinds)[number] },
): Promise<Seen> {
  const table = await makeTable(target, context, op, `${context.scratch}.${kind.toLowerCase()}_counter`, {
    type: kind,
    columns: "id BIGINT PRIMARY KEY, n BIGINT NOT NULL",
  });
  context.need(await target.sql(as, `INSERT INTO ${table} (id, n) VALUES (1, 0)`), "no row could be written");
  const count = context.size({ light: 6, standard: 30, deep: 100 });
  let [acknowledged, unsure] = [0, 0];
  let refused: Said | null = null;
  let unflushed: string | null = null;
  const looks: Look[] = [];
  for (const round of ["", " again"]) {
    for (let n = 0; n < count; n += 1) {
      const answer = await target.sql(as, `UPDATE ${table} SET n = n + 1 WHERE id = 1`);
      if (answer.kind === "ok") acknowledged += 1;
      else if (answer.kind === "unsure") unsure += 1;
      else refused ??= saidOf(answer);
    }
    const before = round === "" ? "before a flush" : "with old versions in cold storage";
    looks.push({ ...(await look(target, as, table)), when: before, acknowledged, unsure });
    const scope = kind === "USER" ? as.name : "shared";
    const segments = await flushToSegments(target, context, op, table, [scope]);
    if (typeof segments === "string") unflushed = segments;
    else if ((segments[scope] ?? 0) === 0) unflushed = "no row is listed in cold storage";
    looks.push({ ...(await look(target, as, table)), when: `after a flush${round}`, acknowledged, unsure });
  }
  return { kind, looks, unflushed, refused };
}

async function look(
  target: Target,
  as: Account,
  table: string,
): Promise<Pick<Look, "byKey" | "scanned" | "counted" | "exchanges">> {
  const exchanges: number[] = [];
  const read = async (sql: string): Promise<readonly string[] | null> => {
    const answer = await target.sql(as, sql);
    exchanges.push(answer.exchange);
    return rowsOf(answer)?.map((row) => cellText(row["n"])) ?? null;
  };
  const byKey = await read(`SELECT n FROM ${table} WHERE id = 1 LIMIT 100`);
  const scanned = await read(`SELECT n FROM ${table} LIMIT 100`);
  const [counted] = (await read(`SELECT COUNT(*) AS n FROM ${table}`)) ?? [];
  return { byKey, scanned, counted: integerText(counted) ?? null, exchanges };
}

/** An update without an answer may have taken effect, once. */
function wrongIn(values: readonly string[], acknowledged: number, unsure: number): string | undefined {
  if (values.length === 0) return "missing";
  return values.find((value) => !(Number(value) >= acknowledged && Number(value) <= acknowledged + unsure));
}
