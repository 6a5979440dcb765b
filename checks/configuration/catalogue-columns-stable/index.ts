import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { cellText, listed, rowsOf, saidOf, type Said } from "../../../src/server/target.ts";

/** What operators and tools read. A version may have more columns, and another name for the view of live queries. */
const columnsMin: readonly { views: readonly [string, ...string[]]; columns: readonly string[] }[] = [
  { views: ["users"], columns: ["user_id", "role", "created_at"] },
  { views: ["tables"], columns: ["namespace_id", "table_name", "table_type", "version", "options"] },
  { views: ["jobs"], columns: ["job_id", "job_type", "status", "created_at", "started_at", "finished_at"] },
  { views: ["live", "live_queries"], columns: ["live_id", "namespace_id", "table_name", "user_id", "query"] },
  { views: ["stats"], columns: ["metric_name", "metric_value"] },
  { views: ["settings"], columns: ["name", "value"] },
];
/** Settings of these names hold a secret; what is shown of one must be empty or masked. */
const secretName = /(^|[._])(secret|password|token|api_?key|access_?key|credentials)$/i;
const masked = /^(|null|none|\(?(set|unset|hidden|redacted)\)?|\*+|•+|<[^>]*>|\[[^\]]*\])$/i;

type View = {
  readonly view: string;
  readonly said: Said;
  readonly missing: readonly string[];
  /** What a plain user got for the same view. */
  readonly asUser: Said;
};

export const catalogueColumnsStable = defineCheck({
  id: "configuration/catalogue-columns-stable",
  title: "System views are complete, closed to users, free of secrets",
  failureTitle: "A system view lacks a column, is open, or shows a secret",
  description:
    "Reads the views users, tables, jobs, live, stats and settings and compares their columns with the least that operators' tools need; asks for each as a plain user, who must be refused; and looks for clear passwords and secrets in the settings and in the row of an account whose password we know.",
  blindTo:
    "It looks for the passwords and secrets that it knows or can tell by their names; a secret under another name goes unseen.",
  risk: "Monitoring goes blind after an update, or everybody can read who uses this server and how.",
  remedy:
    "Adapt your tools to the columns that are there; where users can read the views, or secrets are shown, keep them off this server.",
  covers: ["CFG-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 17,
  findings: {
    columnMissing: {
      say: (d: { view: string; columns: readonly string[] }) => `system.${d.view} has no ${d.columns.join(", no ")}`,
    },
    secretShown: { say: (d: { where: string }) => `${d.where} shows a secret in clear text` },
    openToUsers: { say: (d: { view: string }) => `a plain user can read system.${d.view}` },
  },
  async observe(target) {
    const op = await target.account("dba");
    const user = await target.account("user");
    const password = target.password(user);
    const known =
      listed(
        await target.sql(
          op,
          "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' LIMIT 200",
        ),
      ) ?? [];
    const views: View[] = [];
    for (const { views: names, columns } of columnsMin) {
      const view = names.find((name) => known.includes(name)) ?? names[0];
      const answer = await target.sql(op, `SELECT * FROM system.${view} LIMIT 1`);
      const there = answer.kind === "ok" ? (answer.results[0]?.columns.map((column) => column.name) ?? []) : columns;
      const asUser = saidOf(await target.sql(user, `SELECT * FROM system.${view} LIMIT 1`));
      views.push({ view, said: saidOf(answer), missing: columns.filter((column) => !there.includes(column)), asUser });
    }
    const row = await target.sql(op, `SELECT * FROM system.users WHERE user_id = '${user.name}' LIMIT 1`);
    const settings = await target.sql(op, "SELECT name, value FROM system.settings LIMIT 1000");
    const shown = [
      ...(JSON.stringify(rowsOf(row) ?? []).includes(password) ? ["system.users"] : []),
      ...(rowsOf(settings) ?? []).flatMap(({ name, value }) =>
        secretName.test(cellText(name)) && !masked.test(cellText(value)) ? [`system.settings, ${cellText(name)},`] : [],
      ),
    ];
    const looked = rowsOf(row)?.length === 1 && (rowsOf(settings)?.length ?? 0) > 0;
    return { views, shown, looked, lookedIn: [row.exchange, settings.exchange] };
  },
  judge({ views, shown, looked, lookedIn }) {
    const found = [
      ...views
        .filter((one) => one.missing.length > 0)
        .map((one) => ({
          name: "columnMissing" as const,
          case: one.view,
          data: { view: one.view, columns: one.missing },
          sent: [one.said.exchange],
        })),
      ...views
        .filter((one) => one.asUser.kind === "ok")
        .map((one) => ({
          name: "openToUsers" as const,
          case: one.view,
          data: { view: one.view },
          sent: [one.asUser.exchange],
        })),
    ];
    const secrets = shown.map((where) => ({ name: "secretShown" as const, data: { where }, sent: lookedIn }));
    if (found.length + secrets.length > 0) return fail(...found, ...secrets);
    const unread = views.find((one) => one.said.kind !== "ok");
    if (unread !== undefined) return unknown(`system.${unread.view} could not be read: ${unread.said.message}`);
    const vague = views.find((one) => one.asUser.why !== "permission");
    if (vague !== undefined)
      return unknown(
        `a plain user was not refused system.${vague.view} for lack of rights, but: ${vague.asUser.message}`,
      );
    if (!looked) return unknown("the account with a known password, or the settings, could not be looked up");
    if (views.length < columnsMin.length)
      return unknown(`only ${views.length} of ${columnsMin.length} views were read`);
    return pass(
      `${views.length} of ${views.length} views have their columns and are closed to users; no secret in users and settings`,
    );
  },
});
