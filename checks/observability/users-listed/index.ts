import { defineCheck, pass, unknown } from "../../../src/check.ts";
import type { Json } from "../../../src/wire/json.ts";
import {
  cellText,
  integerText,
  rowsOf,
  saidOf,
  type Account,
  type Said,
  type Target,
} from "../../../src/server/target.ts";
import { tryLogin, type LoginSaid } from "../../vocabulary/logins.ts";

/** Well below the five that lock an account. */
const wrongLogins = 2;

type Listed = {
  readonly user: string;
  readonly role: string;
  readonly kind: string;
  /** Undefined if the view has no such column; null if it has no value. */
  readonly lastLogin?: string | null;
  readonly failed?: string | null;
};
/** `rows` is null if the view could not be read. */
type Look = { readonly said: Said; readonly rows: readonly Listed[] | null };

export const usersListed = defineCheck({
  id: "observability/users-listed",
  title: "Users are listed with role, logins and failed logins",
  failureTitle: "system.users misses users or shows wrong data",
  description: `Looks for accounts of three roles in system.users: each must be listed once, with its role and with a password login. Then logs in with one of them and tries ${wrongLogins} wrong passwords: the time of its last login must move, and its count of failed logins must rise by ${wrongLogins}.`,
  blindTo: "Only accounts with passwords are checked, and none is driven into the lock.",
  risk: "Attacks on an account and unused accounts go unnoticed.",
  remedy: "Watch the server's log for logins instead of system.users.",
  covers: ["OBS-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 8 + wrongLogins,
  findings: {
    missing: {
      say: (d: { user: string; role: string }) => `system.users does not list ${d.user}, created with role ${d.role}`,
      risk: "Reviews of who has access miss accounts.",
      remedy: "Keep your own list of the accounts that you create.",
    },
    wrong: {
      say: (d: { user: string; what: string; told: string; wanted: string }) =>
        `system.users shows ${d.told} as the ${d.what} of ${d.user}; expected ${d.wanted}`,
      risk: "Reviews of who has access, and with which privileges, are wrong.",
      remedy: "Test with a login what an account may do.",
    },
    frozen: {
      say: (d: { user: string; what: string; before: string; after: string; did: string }) =>
        `the ${d.what} of ${d.user} stayed ${d.before} after ${d.did}`,
    },
  },
  async observe(target) {
    const op = await target.account("dba");
    // Its failed logins stay on its record, so no other check may use it.
    const user = await target.fresh("user");
    const accounts = [user, await target.account("service"), op];
    const password = target.password(user);
    const before = await look(target, op, accounts);
    const entered = (await tryLogin(target, user.name, password)).said;
    const afterLogin = await look(target, op, accounts);
    const wrong: LoginSaid[] = [];
    for (let n = 0; n < wrongLogins; n += 1)
      wrong.push((await tryLogin(target, user.name, `wrong-${n}-${password.length}`)).said);
    return {
      accounts: accounts.map(({ name, role }) => ({ user: name, role: role as string })),
      before,
      entered,
      afterLogin,
      wrong,
      afterWrong: await look(target, op, accounts),
    };
  },
  judge({ accounts, before, entered, afterLogin, wrong, afterWrong }, { found }) {
    const [first] = accounts;
    if (before.rows === null || first === undefined)
      return unknown(`system.users could not be read: ${before.said.message}`);
    for (const { user, role } of accounts) {
      const rows = before.rows.filter((row) => row.user === user);
      const [row] = rows;
      if (row === undefined) {
        found.missing({ user, role }, { case: role, sent: before.said });
        continue;
      }
      for (const [what, told, wanted] of [
        ["number of rows", String(rows.length), "1"],
        ["role", row.role, role],
        ["kind", row.kind, "password"],
      ] as const)
        if (told !== wanted) found.wrong({ user, what, told, wanted }, { case: what, sent: before.said });
    }

    const { user } = first;
    const [r1, r2, r3] = [before, afterLogin, afterWrong].map(({ rows }) => rows?.find((one) => one.user === user));
    const movable = entered.kind === "in" && r1?.lastLogin !== undefined && r2?.lastLogin !== undefined;
    if (movable && Number(r2.lastLogin ?? 0) <= Number(r1.lastLogin ?? 0)) {
      const [from, to] = [r1.lastLogin ?? "empty", r2.lastLogin ?? "empty"];
      found.frozen(
        { user, what: "last login", before: from, after: to, did: "a login" },
        { case: "last login", sent: [entered, afterLogin.said] },
      );
    }
    const refused = wrong.length >= wrongLogins && wrong.every(({ kind }) => kind === "refused");
    const [was, is] = [r2?.failed, r3?.failed];
    const countable = refused && typeof was === "string" && typeof is === "string";
    const rise = countable ? Number(is) - Number(was) : 0;
    if (countable && rise !== wrong.length) {
      const shown = { case: "failed logins", sent: wrong };
      const what = "count of failed logins";
      if (rise > 0) found.wrong({ user, what, told: is, wanted: String(Number(was) + wrong.length) }, shown);
      else found.frozen({ user, what, before: was, after: is, did: `${wrong.length} wrong passwords` }, shown);
    }
    if (entered.kind !== "in") return unknown(`the login with the right password failed: ${entered.outcome}`);
    const unrefused = wrong.find(({ kind }) => kind !== "refused");
    if (unrefused !== undefined) return unknown(`a wrong password was not refused: ${unrefused.outcome}`);
    const unread = [afterLogin, afterWrong].find(({ rows }) => rows === null);
    if (unread !== undefined) return unknown(`system.users could not be read again: ${unread.said.message}`);
    if (!movable || !countable) return unknown("system.users shows no last login or no count of failed logins");
    return pass(`${accounts.length} users listed with role and kind; last login updated, failed logins up by ${rise}`);
  },
});

async function look(target: Target, as: Account, users: readonly Account[]): Promise<Look> {
  const names = users.map(({ name }) => `'${name}'`).join(", ");
  const answer = await target.sql(as, `SELECT * FROM system.users WHERE user_id IN (${names}) LIMIT 20`);
  const count = (cell: Json): string | null => integerText(cell) ?? null;
  const rows = rowsOf(answer)?.map((row) => ({
    user: cellText(row["user_id"]),
    role: cellText(row["role"] ?? "").toLowerCase(),
    kind: cellText(row["auth_type"] ?? "").toLowerCase(),
    ...(row["last_login_at"] === undefined ? {} : { lastLogin: count(row["last_login_at"]) }),
    ...(row["failed_login_attempts"] === undefined ? {} : { failed: count(row["failed_login_attempts"]) }),
  }));
  return { said: saidOf(answer), rows: rows ?? null };
}
