import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { listed, onlyRow, rowsOf, saidOf, type Said } from "../../../src/server/target.ts";
import { integerText } from "../../../src/server/target.ts";

/** Views that every version has; which others there are is asked of the server. */
const viewsMin = ["namespaces", "settings", "stats", "tables", "users"];
const stepsMin = 4;

type View = { readonly view: string; readonly said: Said };
/** One look at the tables of our namespace. `done`: what was done just before. Null where it was not answered. */
type Step = {
  readonly wanted: number;
  readonly done: Said | null;
  readonly count: number | null;
  readonly listed: number | null;
  readonly exchange: number;
};

export const catalogueQueryable = defineCheck({
  id: "configuration/catalogue-queryable",
  title: "The system views answer and count rightly",
  failureTitle: "A system view is broken, or counts wrongly",
  description:
    "Reads every view of the schema system with LIMIT 0; creates two tables in our own namespace and drops one, and at each step compares COUNT(*) of system.tables there with its listing, and with what there must be.",
  blindTo: "It does not look at what the views say of other things than tables; the category observability does.",
  risk: "Whoever operates this server by its views is misled.",
  remedy: "Look into the server's log for the view that failed; a view that miscounts is a defect of the server.",
  covers: ["CFG-02"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 37,
  findings: {
    viewBroken: {
      say: (d: { view: string; outcome: string }) => `SELECT * FROM system.${d.view} LIMIT 0 failed: ${d.outcome}`,
    },
    countDisagrees: {
      say: (d: { count: number; listed: number }) =>
        `COUNT(*) of system.tables says ${d.count} for our namespace, its listing has ${d.listed}`,
    },
    countFrozen: {
      say: (d: { counts: readonly number[]; wanted: readonly number[] }) =>
        `the count of tables in our namespace went ${d.counts.join(", ")} where there were ${d.wanted.join(", ")}`,
    },
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

    // Of our own namespace alone: a total moves with everybody else on this server.
    const where = `WHERE namespace_id = '${scratch}'`;
    const steps: Step[] = [];
    const look = async (wanted: number, done: Said | null): Promise<void> => {
      const counted = await target.sql(op, `SELECT COUNT(*) AS c FROM system.tables ${where}`);
      const tables = rowsOf(await target.sql(op, `SELECT table_name FROM system.tables ${where} LIMIT 100`));
      const count = integerText(onlyRow(counted)?.["c"]);
      steps.push({
        wanted,
        done,
        count: count === undefined ? null : Number(count),
        listed: tables?.length ?? null,
        exchange: counted.exchange,
      });
    };
    const create = (name: string): string =>
      `CREATE TABLE ${scratch}.${name} (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')`;
    await look(0, null);
    for (const [name, wanted] of [
      ["one", 1],
      ["two", 2],
    ] as const)
      await look(wanted, saidOf(await target.sql(op, create(name))));
    await look(1, saidOf(await target.sql(op, `DROP TABLE ${scratch}.one`)));
    return { views, steps };
  },
  judge({ views, steps }) {
    const broken = views.filter(({ said }) => said.kind !== "ok" && said.status !== null && said.why !== "rate");
    const found = broken.map(({ view, said }) => ({
      name: "viewBroken" as const,
      case: view,
      data: { view, outcome: `${said.status} ${said.code} ${said.message}` },
      sent: [said.exchange],
    }));
    const counted = steps.flatMap(({ count, listed: rows, exchange }) =>
      count === null || rows === null ? [] : [{ count, listed: rows, exchange }],
    );
    const disagrees = counted
      .filter(({ count, listed: rows }) => count !== rows)
      .slice(0, 1)
      .map(({ exchange, ...data }) => ({ name: "countDisagrees" as const, data, sent: [exchange] }));
    const undone = steps.find(({ done }) => done !== null && done.kind !== "ok");
    const whole = undone === undefined && counted.length === steps.length;
    const wrong = whole && steps.some(({ count, wanted }) => count !== wanted);
    const data = { counts: counted.map(({ count }) => count), wanted: steps.map(({ wanted }) => wanted) };
    const frozen = wrong ? [{ name: "countFrozen" as const, data, sent: counted.map(({ exchange }) => exchange) }] : [];
    if (found.length + disagrees.length + frozen.length > 0) return fail(...found, ...disagrees, ...frozen);
    const unread = views.find(({ said }) => said.kind !== "ok");
    if (unread !== undefined) return unknown(`system.${unread.view} was not answered: ${unread.said.message}`);
    const missing = viewsMin.filter((name) => !views.some(({ view }) => view === name));
    if (missing.length > 0) return unknown(`the server does not list system.${missing.join(", system.")}`);
    if (undone !== undefined) return unknown(`a table could not be created or dropped: ${undone.done?.message ?? ""}`);
    if (!whole || steps.length < stepsMin) return unknown("the tables of our namespace could not be counted");
    return pass(
      `${views.length} of ${views.length} views answer; count and listing of ours went ${data.counts.join(", ")}`,
    );
  },
});
