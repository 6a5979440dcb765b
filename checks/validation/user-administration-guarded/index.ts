import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { isCleanRefusal, truncated } from "../../../src/server/target.ts";
import { lookedTwice } from "../../vocabulary/second-look.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { isPermissionDenied } from "../../vocabulary/trials.ts";
import { powers } from "./administration.ts";
import { changePassword, isTwice, whyUnchanged } from "./password-change.ts";
import { loginStatus, tryAll, tryControls, type Tried } from "./attempts.ts";

type Data = { as: string; case: string; message: string };
type Changed = { user: string };
const say = (d: Data): string => lookedTwice(`a ${d.as} could ${d.case}: ${d.message}`);

export const userAdministrationGuarded = defineCheck({
  id: "validation/user-administration-guarded",
  title: "Only administrators can administer accounts and namespaces",
  failureTitle: "An account without the privilege administers or escalates",
  description: `A plain user and a service account, both made for this, try ${powers.length} statements (the service account only a few of them at light effort, among them those that would make it more) for administrators (accounts, roles, passwords, namespaces, storages, backups, jobs, topics), some of them hidden after a query or a comment, in a transaction or in EXECUTE AS. Each must be refused with a permission error; afterwards an administrator must see all accounts and names of the run unchanged, and the password of another account must still work. A dba can do the same, and changes the password of another account made for this: the new one must log in, and the old one no longer. A dba then tries to create or to become a system account; this is left out if the profile says production: true.`,
  blindTo:
    "Accounts with the privilege do not create storages or backups here, so it is not shown that they can. Privileges of a session that is already open when a role is taken away.",
  risk: "A user gains the privileges of an administrator, or a dba those of the system role.",
  remedy:
    "Revoke what the finding names, and search system.users for accounts and roles that no administrator granted.",
  covers: ["VAL-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 1, dba: 1 },
  estimateMs: 1_200,
  estimateRequests: 2 * powers.length + 36,
  findings: {
    escalated: { say },
    smuggled: { say },
    accepted: { say, risk: "An account without the privilege creates, changes or drops accounts or namespaces." },
    oldPasswordWorks: {
      say: (d: Changed) => lookedTwice(`a dba changed the password of ${d.user}, and the old one still logs in`),
      risk: "Whoever knows a password that was changed because it leaked still gets in.",
      remedy: "To lock somebody out, drop the account and create another one, until this passes.",
    },
    newPasswordFails: {
      say: (d: Changed) => lookedTwice(`a dba changed the password of ${d.user}, and the new one is refused`),
      risk: "A password change that is acknowledged locks its user out, or did not happen.",
      remedy: "After each change of a password, log in with the new one before you hand it out.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const [user, service, dba, victim, changing] = await Promise.all([
      target.fresh("user"),
      target.fresh("service"),
      target.fresh("dba"),
      target.fresh("user"),
      target.fresh("user"),
    ]);
    const names = {
      victim: victim.name,
      // Any password that the report redacts.
      password: target.password(user),
      op: op.name,
      planted: context.accountName("planted"),
      plantedNamespace: context.name("planted"),
      namespace: context.name("own"),
    };
    context.need(await target.sql(op, `CREATE NAMESPACE ${names.namespace}`), "the namespace could not be made");
    const table = await makeTable(target, context, op, `${names.namespace}.t`, { columns: "id BIGINT PRIMARY KEY" });
    context.need(await target.sql(user, `INSERT INTO ${table} (id) VALUES (1)`), "the row could not be written");

    const { tried, looks, wanted } = await tryAll(target, context, { op, user, service, dba, victim }, names);
    const login = await loginStatus(target, victim);
    const controls = await tryControls(target, context, op, names.password);
    const change = await changePassword(target, context, op, changing, names.password);
    return { tried, looks, wanted, controls, change, login, production: context.production };
  },
  judge({ tried, looks, wanted, controls, change, login, production }, { found }) {
    const accepted = tried.filter(({ said }) => said.kind === "ok");
    for (const { finding, case: name, role, said } of accepted) {
      const message = `${said.status ?? ""} ${said.message}`.trim();
      found[finding]({ as: role, case: name, message }, { case: `${name}, as ${role}`, sent: said });
    }
    for (const [at, { after, shown: now }] of looks.slice(1).entries()) {
      const before = looks[at]?.shown ?? null;
      if (now === null || before === null || now === before) continue;
      // The change by an accepted statement is already reported, and what it made was dropped.
      if (accepted.some(({ role }) => role === after)) continue;
      const sent = tried.filter(({ role }) => role === after).map(({ said }) => said);
      const what = "change something although everything was refused";
      found.accepted(
        { as: after, case: what, message: truncated(now, 300) },
        { case: `refused but done, as ${after}`, sent },
      );
    }
    if (login === 401)
      found.escalated(
        { as: "user", case: "set another's password", message: "the old one no longer works" },
        { case: "password check afterwards" },
      );

    if (change.changed.kind === "ok") {
      const { user, changed, newOne, oldOne } = change;
      if (isTwice(oldOne, "in")) found.oldPasswordWorks({ user }, { sent: [changed, oldOne.last] });
      if (isTwice(newOne, "refused")) found.newPasswordFails({ user }, { sent: [changed, newOne.last] });
    }

    const other = tried.find((one) => !isRefused(one));
    if (other !== undefined)
      return unknown(
        `${other.case}, as ${other.role}, was not refused with a permission error: ${other.said.code} ${other.said.message}`,
      );
    if (looks.length < (production ? 3 : 4) || looks.some((one) => one.shown === null))
      return unknown("accounts and names of the run could not be read before and after, so changes would go unseen");
    if (login !== 200)
      return unknown(`the login with the other account's password is inconclusive: ${login ?? "no answer"}`);
    const failing = controls.find(({ works }) => !works);
    if (failing !== undefined || controls.length < 5)
      return unknown(`a dba could not do it either: ${failing?.name ?? "it was not tried"} ${failing?.message ?? ""}`);
    const unchanged = whyUnchanged(change);
    if (unchanged !== undefined) return unknown(unchanged);
    const lower = tried.filter(({ role }) => role !== "dba").length;
    const higher = tried.length - lower;
    if (lower < wanted || (!production && higher < 3)) return unknown(`only ${tried.length} statements were tried`);
    return pass(
      `${lower} of ${lower} attempts by a user and a service account refused, ${production ? "those of a dba left out" : `${higher} of ${higher} by a dba`}; nothing of the run's changed, and a dba can run them; a changed password replaces the old one`,
    );
  },
});

function isRefused({ said, alsoRefusedBy }: Tried): boolean {
  if (isPermissionDenied(said)) return true;
  return alsoRefusedBy === "parse" ? said.why === "parse" : alsoRefusedBy === "any" && isCleanRefusal(said);
}
