import { defineCheck, fail, pass, unknown, type FoundOf } from "../../../src/check.ts";
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
import { tryLogin, type LoginSaid } from "../logins.ts";

/** Two are far from the five that lock an account. */
const wrongLogins = 2;

type Listed = {
  readonly user: string;
  readonly role: string;
  readonly kind: string;
  /** Undefined where the view has no such column; null where it tells nothing. */
  readonly lastLogin?: string | null;
  readonly failed?: string | null;
};
/** `rows` is null where the view was not answered. */
type Look = { readonly said: Said; readonly rows: readonly Listed[] | null };

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

const findings = {
  missing: { say: (d: { user: string; role: string }) => `system.users does not list ${d.user}, made as ${d.role}` },
  wrong: {
    say: (d: { user: string; what: string; told: string; wanted: string }) =>
      `system.users tells ${d.told} as the ${d.what} of ${d.user}; it is ${d.wanted}`,
  },
  frozen: {
    say: (d: { user: string; what: string; before: string; after: string; did: string }) =>
      `the ${d.what} of ${d.user} stayed ${d.before} after ${d.did}`,
  },
};
type Found = FoundOf<typeof findings>;

export const usersListed = defineCheck({
  id: "observability/users-listed",
  title: "Users are listed with role, kind, logins and failures",
  failureTitle: "system.users misses users, or tells wrong things of them",
  description: `Looks for accounts of three roles in system.users: each once, with its role and as one with a password. Then logs in with one of them, and tries ${wrongLogins} wrong passwords: the time of its last login must move, and its count of failed logins rise by ${wrongLogins}.`,
  blindTo: "It sees accounts with passwords only, and does not drive one into the lock.",
  risk: "Nobody sees that an account is under attack, or that one is not used any more.",
  remedy: "Watch the server's log for logins where system.users does not tell them.",
  covers: ["OBS-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 900,
  estimateRequests: 8 + wrongLogins,
  findings,
  async observe(target) {
    const op = await target.account("dba");
    // Its failed logins stay with it, so nobody else gets it.
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
  judge({ accounts, before, entered, afterLogin, wrong, afterWrong }) {
    const sent = [before.said.exchange];
    const [first] = accounts;
    if (before.rows === null || first === undefined)
      return unknown(`system.users could not be read: ${before.said.message}`);
    const listed = before.rows;
    const found = accounts.flatMap(({ user, role }): Found[] => {
      const rows = listed.filter((row) => row.user === user);
      const [row] = rows;
      if (row === undefined) return [{ name: "missing" as const, case: role, data: { user, role }, sent }];
      const tell = (what: string, told: string, wanted: string) =>
        told === wanted ? [] : [{ name: "wrong" as const, case: what, data: { user, what, told, wanted }, sent }];
      return [
        ...tell("number of rows", String(rows.length), "1"),
        ...tell("role", row.role, role),
        ...tell("kind", row.kind, "password"),
      ];
    });

    const row = ({ rows }: Look): Listed | undefined => rows?.find((one) => one.user === first.user);
    const [r1, r2, r3] = [before, afterLogin, afterWrong].map(row);
    const logins = entered.kind === "in";
    const movable = logins && r1?.lastLogin !== undefined && r2?.lastLogin !== undefined;
    const moved = movable && Number(r2.lastLogin ?? 0) > Number(r1.lastLogin ?? 0);
    const refusals = wrong.length >= wrongLogins && wrong.every(({ kind }) => kind === "refused");
    const countable = refusals && typeof r2?.failed === "string" && typeof r3?.failed === "string";
    const rise = countable ? Number(r3.failed) - Number(r2.failed) : 0;
    const { user } = first;
    const still = [
      ...(movable && !moved
        ? [
            {
              name: "frozen" as const,
              case: "last login",
              data: {
                user,
                what: "last login",
                before: r1.lastLogin ?? "undetermined",
                after: r2.lastLogin ?? "undetermined",
                did: "a login",
              },
              sent: [entered.exchange, afterLogin.said.exchange],
            },
          ]
        : []),
      ...(countable && rise <= 0
        ? [
            {
              name: "frozen" as const,
              case: "failed logins",
              data: {
                user,
                what: "count of failed logins",
                before: r2.failed ?? "",
                after: r3.failed ?? "",
                did: `${wrong.length} wrong passwords`,
              },
              sent: wrong.map(({ exchange }) => exchange),
            },
          ]
        : []),
      ...(countable && rise > 0 && rise !== wrong.length
        ? [
            {
              name: "wrong" as const,
              case: "failed logins",
              data: {
                user,
                what: "count of failed logins",
                told: r3.failed ?? "",
                wanted: String(Number(r2.failed) + wrong.length),
              },
              sent: wrong.map(({ exchange }) => exchange),
            },
          ]
        : []),
    ];
    if (found.length + still.length > 0) return fail(...found, ...still);
    const denied = [entered, ...wrong].find((one, at) => one.kind !== (at === 0 ? "in" : "refused"));
    if (denied !== undefined) return unknown(`a login did not go as it should: ${denied.outcome}`);
    const unread = [afterLogin, afterWrong].find(({ rows }) => rows === null);
    if (unread !== undefined) return unknown(`system.users could not be read again: ${unread.said.message}`);
    if (!movable || !countable) return unknown("system.users tells no last login, or no count of failed ones");
    return pass(
      `${accounts.length} users with role and kind; the last login moved, the failed ones went up by ${rise}`,
    );
  },
});
