import { defineCheck, fail, pass, unknown } from "../../src/check.ts";
import { listed, onlyRow, rowsOf, saidOf, type Said, type Target } from "../../src/target/target.ts";
import { integerText } from "../../src/target/target.ts";

/** Views that every version has; which others there are is asked of the server. */
const viewsMin = ["namespaces", "settings", "stats", "tables", "users"];
/** More rows than this do not come in one answer. */
const rowsMax = 900;
const stillTries = 5;

type View = { readonly view: string; readonly said: Said };

export const catalogueQueryable = defineCheck({
  id: "configuration/catalogue-queryable",
  title: "The system views answer and count rightly",
  failureTitle: "A system view is broken, or counts wrongly",
  description:
    "Reads every view of the schema system with LIMIT 0, compares COUNT(*) of system.tables with its listing, and watches the count of our own namespace while a table is created and dropped: one more, then back.",
  blindTo: "It does not look at what the views say of other things than tables; the category observability does.",
  risk: "Whoever operates this server by its views is misled.",
  remedy: "Look into the server's log for the view that failed; a view that miscounts is a defect of the server.",
  covers: ["CFG-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 35,
  findings: {
    viewBroken: (d: { view: string; outcome: string }) => `SELECT * FROM system.${d.view} LIMIT 0 failed: ${d.outcome}`,
    countDisagrees: (d: { count: number; listed: number }) =>
      `COUNT(*) of system.tables says ${d.count}, the listing has ${d.listed}`,
    countFrozen: (d: { empty: number; created: number; dropped: number }) =>
      `the count of tables in our namespace went ${d.empty}, ${d.created}, ${d.dropped} while one was created and dropped`,
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const asked = listed(
      await target.sql(
        op,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' ORDER BY table_name LIMIT 200",
      ),
    );
    const names = asked === undefined || asked.length === 0 ? viewsMin : asked;
    const views: View[] = [];
    for (const view of names)
      views.push({ view, said: saidOf(await target.sql(op, `SELECT * FROM system.${view} LIMIT 0`)) });

    const ours = async (): Promise<number | null> => await countOf(target, ` WHERE namespace_id = '${scratch}'`);
    const empty = await ours();
    const made = saidOf(
      await target.sql(op, `CREATE TABLE ${scratch}.counted (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')`),
    );
    const created = await ours();
    const dropped = saidOf(await target.sql(op, `DROP TABLE ${scratch}.counted`));
    return { views, total: await stillTotal(target), empty, made, created, dropped, after: await ours() };

    async function countOf(over: Target, where: string): Promise<number | null> {
      const count = integerText(onlyRow(await over.sql(op, `SELECT COUNT(*) AS c FROM system.tables${where}`))?.["c"]);
      return count === undefined ? null : Number(count);
    }
    /** The total and the listing at a moment when nobody was creating tables; null where there was none, or too many rows. */
    async function stillTotal(over: Target): Promise<{ count: number; listed: number; exchange: number } | null> {
      for (let n = 0; n < stillTries; n += 1) {
        const before = await countOf(over, "");
        const listing = await over.sql(op, `SELECT namespace_id, table_name FROM system.tables LIMIT ${rowsMax}`);
        const rows = rowsOf(listing);
        const after = await countOf(over, "");
        if (before === null || after === null || rows === undefined || after > rowsMax) return null;
        if (before === after) return { count: after, listed: rows.length, exchange: listing.exchange };
      }
      return null;
    }
  },
  judge({ views, total, empty, made, created, dropped, after }) {
    const broken = views.filter(({ said }) => said.kind !== "ok" && said.status !== null && said.why !== "rate");
    const found = broken.map(({ view, said }) => ({
      name: "viewBroken" as const,
      case: view,
      data: { view, outcome: `${said.status} ${said.code} ${said.message}` },
      sent: [said.exchange],
    }));
    const disagrees =
      total === null || total.count === total.listed
        ? []
        : [
            {
              name: "countDisagrees" as const,
              data: { count: total.count, listed: total.listed },
              sent: [total.exchange],
            },
          ];
    const counted = made.kind === "ok" && dropped.kind === "ok" && empty !== null && created !== null && after !== null;
    const frozen =
      counted && (created !== empty + 1 || after !== empty)
        ? [
            {
              name: "countFrozen" as const,
              data: { empty, created, dropped: after },
              sent: [made.exchange, dropped.exchange],
            },
          ]
        : [];
    if (found.length + disagrees.length + frozen.length > 0) return fail(...found, ...disagrees, ...frozen);
    const unread = views.find(({ said }) => said.kind !== "ok");
    if (unread !== undefined) return unknown(`system.${unread.view} was not answered: ${unread.said.message}`);
    const missing = viewsMin.filter((name) => !views.some(({ view }) => view === name));
    if (missing.length > 0) return unknown(`the server does not list system.${missing.join(", system.")}`);
    if (!counted)
      return unknown(`the count could not be followed: ${made.kind === "ok" ? dropped.message : made.message}`);
    const whole =
      total === null ? "the total kept moving and was not compared" : `COUNT(*) and listing agree on ${total.count}`;
    return pass(`${views.length} of ${views.length} views answer; ${whole}; ours went ${empty}, ${created}, ${after}`);
  },
});
