import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { makeTable } from "../../vocabulary/tables.ts";
import { dropAndFailLogin, dropAndTryAccess, use, watchMs, type Used } from "./dropping.ts";

export const deletedUsersMarked = defineCheck({
  id: "observability/deleted-users-marked",
  title: "A dropped user is locked out immediately and marked",
  failureTitle: "A dropped user still has access, is unmarked or comes back",
  description: `Drops an account that is in use. system.users must mark it, its password and token must be refused immediately, and its name must either be refused to a new account or start without the old account's rows. A second account is dropped and then gets a login with a wrong password: it must stay dropped. If a dropped account still works, the check waits up to ${watchMs / 1000} s until it no longer does.`,
  blindTo: "Open live connections and refresh tokens of a dropped user are not tested.",
  risk: "A user who was removed can still read and write.",
  remedy:
    "After DROP USER, wait until a login with the account is refused and check its mark in system.users. Keep tokens short-lived.",
  covers: ["OBS-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  uses: { user: 2, dba: 1 },
  estimateMs: 1_000,
  estimateRequests: 24,
  findings: {
    looksActive: {
      say: (d: { user: string }) => `system.users lists ${d.user} like an active user after DROP USER`,
      risk: "An audit of the user list counts removed users as active, and cannot tell which accounts were dropped.",
    },
    loginStillWorks: {
      say: (d: { user: string; refusedAfterMs: number | null }) =>
        `the password of ${d.user} still worked after DROP USER, ${untilText(d.refusedAfterMs)}`,
    },
    tokenStillWorks: {
      say: (d: { user: string; refusedAfterMs: number | null }) =>
        `a token of ${d.user} was still accepted after DROP USER, ${untilText(d.refusedAfterMs)}`,
    },
    inheritsRows: {
      say: (d: { user: string; rows: number }) =>
        `a new account named ${d.user} reads ${d.rows} rows of the dropped one`,
      risk: "A new user with the name of a former one reads that user's data.",
      remedy: "Never reuse a user name; delete the rows of a user before DROP USER.",
    },
    cameBack: {
      say: (d: { user: string }) =>
        `one login as ${d.user} with a wrong password after DROP USER made it an active user again`,
      risk: "Anyone who knows the name of a dropped user can undo the drop with a failed login.",
      remedy: "Check system.users after each DROP USER and again later; repeat the drop if the mark is missing.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const columns = "id BIGINT PRIMARY KEY, v TEXT";
    const table = await makeTable(target, context, op, `${context.scratch}.own_rows`, { columns });
    const [owner, other] = await Promise.all([target.fresh("user"), target.fresh("user")]);
    const used = await use(target, owner);
    context.need(
      await target.sql(owner, `INSERT INTO ${table} (id, v) VALUES (1, 'of the first')`),
      "the account could not be used",
    );
    const [first, second] = await Promise.all([
      dropAndTryAccess(target, context, { op, owner, table, used }),
      dropAndFailLogin(target, op, other),
    ]);
    return { first, second };
  },
  judge({ first, second }, { found }) {
    const { user, dropped, shown, login, token, recreated } = first;
    if (dropped.kind === "ok") {
      if (shown === "active") found.looksActive({ user }, { sent: dropped });
      if (login.first.kind === "in")
        found.loginStillWorks({ user, refusedAfterMs: login.refusedAfterMs }, { sent: [dropped, login.first] });
      if (token.first.kind === "ok")
        found.tokenStillWorks({ user, refusedAfterMs: token.refusedAfterMs }, { sent: [dropped, token.first] });
      if (recreated.rows !== null && recreated.rows > 0)
        found.inheritsRows({ user, rows: recreated.rows }, { sent: [dropped, recreated.said] });
    }
    if (second.dropped.kind === "ok") {
      if (second.before === "active") found.looksActive({ user: second.user }, { sent: second.dropped });
      else if (second.before !== "unread" && second.after === "active")
        found.cameBack({ user: second.user }, { sent: [second.dropped, second.wrong] });
    }

    const unused = [first, second].find(({ used }) => !wasInUse(used));
    if (unused !== undefined)
      return unknown(`${unused.user} was not in use before it was dropped, so a cached account would go unnoticed`);
    const undropped = [dropped, second.dropped].find((said) => said.kind !== "ok");
    if (undropped !== undefined) return unknown(`DROP USER failed: ${undropped.message}`);
    if ([shown, second.before, second.after].includes("unread")) return unknown("system.users could not be read");
    if (login.first.kind !== "refused")
      return unknown(`the login after DROP USER was neither accepted nor refused: ${login.first.outcome}`);
    if (token.first.why !== "login")
      return unknown(
        `the token was refused for a different reason: ${token.first.status ?? ""} ${token.first.message}`,
      );
    if (second.wrong.kind !== "refused")
      return unknown(`the login with a wrong password was not refused: ${second.wrong.outcome}`);
    if (recreated.said.kind !== "ok" && recreated.said.kind !== "refused")
      return unknown(`CREATE USER with the dropped name was not answered: ${recreated.said.message}`);
    if (recreated.said.kind === "ok" && recreated.rows === null)
      return unknown("the new account with the dropped name could not read");
    const name = recreated.said.kind === "ok" ? "gives no access to old rows" : "is refused to a new account";
    return pass(`2 users dropped and ${shown}; password and token refused immediately; the name ${name}`);
  },
});

/** Both logins and the query were answered. */
function wasInUse({ wrong, right, query }: Used): boolean {
  return wrong.kind === "refused" && right.kind === "in" && query.kind === "ok";
}

function untilText(refusedAfterMs: number | null): string {
  return refusedAfterMs === null
    ? `for at least ${watchMs / 1000} s`
    : `and was refused after ${Math.round(refusedAfterMs / 1000)} s`;
}
