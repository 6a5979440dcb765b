import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { cellText, listed, rowsOf, saidOf, type Said } from "../../../src/server/target.ts";

/** What operators and tools read. A version may add columns, and names the view of live queries one way or the other. */
const columnsMin: readonly { views: readonly [string, ...string[]]; columns: readonly string[] }[] = [
  { views: ["users"], columns: ["user_id", "role", "created_at"] },
  { views: ["tables"], columns: ["namespace_id", "table_name", "table_type", "version", "options"] },
  { views: ["jobs"], columns: ["job_id", "job_type", "status", "created_at", "started_at", "finished_at"] },
  { views: ["live", "live_queries"], columns: ["live_id", "namespace_id", "table_name", "user_id", "query"] },
  { views: ["stats"], columns: ["metric_name", "metric_value"] },
  { views: ["settings"], columns: ["name", "value"] },
];
/** Settings with such a name hold a secret; the value shown must be empty or masked. */
const secretName = /(^|[._])(secret|password|token|api_?key|access_?key|credentials)$/i;
const masked = /^(|null|none|\(?(set|unset|hidden|redacted)\)?|\*+|•+|<[^>]*>|\[[^\]]*\])$/i;

type View = {
  readonly view: string;
  readonly said: Said;
  readonly missing: readonly string[];
  /** The answer to a user without privileges. */
  readonly asUser: Said;
};

export const catalogueColumnsStable = defineCheck({
  id: "configuration/catalogue-columns-stable",
  title: "System views are complete, closed to users, free of secrets",
  failureTitle: "A system view lacks a column, is open, or shows a secret",
  description:
    "Reads the views users, tables, jobs, live, stats and settings, and compares their columns with those that operators' tools need. Reads each view as a plain user, who must be denied. Looks for plaintext secrets in the settings, and for a known password in the row of its account.",
  blindTo: "It only finds the passwords it knows, and secrets in settings whose names indicate one.",
  risk: "Monitoring stops working after an update.",
  remedy: "Adapt your tools to the columns that the view has.",
  covers: ["CFG-10"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, dba: 1 },
  estimateMs: 900,
  estimateRequests: 17,
  findings: {
    columnMissing: {
      say: (d: { view: string; columns: readonly string[] }) => `system.${d.view} has no ${d.columns.join(", no ")}`,
    },
    secretShown: {
      say: (d: { where: string }) => `${d.where} shows a secret in plain text`,
      risk: "An operator, a log or a dashboard that reads the view learns a secret that grants access.",
      remedy: "Give the role dba only to people who may know the secret, and replace the secret once it is masked.",
    },
    openToUsers: {
      say: (d: { view: string }) => `a plain user can read system.${d.view}`,
      risk: "Every user can see who uses this server and how.",
      remedy: "Do not give untrusted people an account on this server until the view is closed to users.",
    },
  },
  async observe(target, { need }) {
    const [op, user] = await Promise.all([target.account("dba"), target.account("user")]);
    const listing = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' LIMIT 200";
    const known = listed(need(await target.sql(op, listing), "the system views could not be listed")) ?? [];
    const views: View[] = [];
    for (const { views: names, columns } of columnsMin) {
      const view = names.find((name) => known.includes(name)) ?? names[0];
      const answer = await target.sql(op, `SELECT * FROM system.${view} LIMIT 1`);
      const there = answer.kind === "ok" ? (answer.results[0]?.columns.map((column) => column.name) ?? []) : columns;
      const asUser = saidOf(await target.sql(user, `SELECT * FROM system.${view} LIMIT 1`));
      views.push({ view, said: saidOf(answer), missing: columns.filter((column) => !there.includes(column)), asUser });
    }
    const account = await target.sql(op, `SELECT * FROM system.users WHERE user_id = '${user.name}' LIMIT 1`);
    const settings = await target.sql(op, "SELECT name, value FROM system.settings LIMIT 1000");
    const accountRows = rowsOf(account) ?? [];
    const settingRows = rowsOf(settings) ?? [];
    const unmasked = settingRows.filter(
      ({ name, value }) => secretName.test(cellText(name)) && !masked.test(cellText(value)),
    );
    return {
      views,
      shown: [
        ...(JSON.stringify(accountRows).includes(target.password(user)) ? ["system.users"] : []),
        ...unmasked.map(({ name }) => `system.settings, ${cellText(name)},`),
      ],
      looked: accountRows.length === 1 && settingRows.length > 0,
      lookedIn: [account.exchange, settings.exchange],
    };
  },
  judge({ views, shown, looked, lookedIn }, { found }) {
    for (const { view, missing, said } of views)
      if (missing.length > 0) found.columnMissing({ view, columns: missing }, { case: view, sent: said });
    for (const { view, asUser } of views)
      if (asUser.kind === "ok") found.openToUsers({ view }, { case: view, sent: asUser });
    for (const where of shown) found.secretShown({ where }, { sent: lookedIn });
    const unread = views.find((one) => one.said.kind !== "ok");
    if (unread !== undefined) return unknown(`system.${unread.view} could not be read: ${unread.said.message}`);
    const unclear = views.find((one) => one.asUser.why !== "permission");
    if (unclear !== undefined)
      return unknown(
        `a plain user could not read system.${unclear.view}, but not for lack of privileges: ${unclear.asUser.message}`,
      );
    if (!looked) return unknown("the account with the known password, or the settings, could not be read");
    if (views.length < columnsMin.length)
      return unknown(`only ${views.length} of ${columnsMin.length} views were read`);
    return pass(
      `${views.length} of ${views.length} views have their columns and are closed to users; no secret in users and settings`,
    );
  },
});
