import { defineCheck, fail, pass, unknown, type Context } from "../../../src/check.ts";
import { cellText, rowsOf, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { tryLogin, type LoginSaid } from "../logins.ts";

/** Where a dropped account still works: how long to look for the moment when it does not any more. */
const lookForMs = 8_000;
const lookEveryMs = 1_000;

/** How system.users shows an account: `gone`, `marked` as deleted, `active`, or `unread`. */
type Shown = "gone" | "marked" | "active" | "unread";
/** What came at once, and after how long it was refused; null where it was not within the time looked for. */
type Ending<S> = { readonly atOnce: S; readonly refusedAfterMs: number | null };

export const deletedUsersMarked = defineCheck({
  id: "observability/deleted-users-marked",
  title: "A dropped user is marked, and out at once",
  failureTitle: "A dropped user is still in, unmarked, or comes back",
  description: `Drops an account of ours that is in use. It must be marked in system.users, its password and its token be refused at once, and its name be refused to a new account or start without the rows of the old one. A second account is dropped and then tried with a wrong password: it must stay dropped. Where a dropped account still works, it is looked up to ${lookForMs / 1000} s when that ends.`,
  blindTo: "Open live connections of a dropped user, and refresh tokens, are not looked at.",
  risk: "Who was let go still reads and writes; a drop that was acknowledged is undone by a stranger's failed login.",
  remedy:
    "After DROP USER wait until a login with the account is refused, look into system.users for its mark, and drop it again if it has none. Keep tokens short-lived.",
  covers: ["OBS-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_000,
  estimateRequests: 24,
  findings: {
    looksActive: {
      say: (d: { user: string }) => `after DROP USER ${d.user} is listed in system.users like an active user`,
    },
    loginStillWorks: {
      say: (d: { user: string; refusedAfterMs: number | null }) =>
        `after DROP USER the password of ${d.user} was still let in, ${untilText(d.refusedAfterMs)}`,
    },
    tokenStillWorks: {
      say: (d: { user: string; refusedAfterMs: number | null }) =>
        `after DROP USER a token of ${d.user} was still accepted, ${untilText(d.refusedAfterMs)}`,
    },
    inheritsRows: {
      say: (d: { user: string; rows: number }) =>
        `a new account of the name ${d.user} reads ${d.rows} rows of the dropped one`,
    },
    cameBack: {
      say: (d: { user: string }) =>
        `after DROP USER one login as ${d.user} with a wrong password made it an active user again`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const table = `${context.scratch}.own_rows`;
    const made = saidOf(
      await target.sql(op, `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='USER')`),
    );
    const [leaver, other] = await Promise.all([target.fresh("user"), target.fresh("user")]);
    const [first, second] = await Promise.all([
      leave(target, context, { op, leaver, table }),
      comeBack(target, op, other),
    ]);
    return { made, first, second };
  },
  judge({ made, first, second }) {
    const { user, dropped, shown, login, token, heir } = first;
    const gone = dropped.kind === "ok";
    const sent = (...exchanges: readonly number[]): readonly number[] => [dropped.exchange, ...exchanges];
    const found = [
      ...(gone && shown === "active" ? [{ name: "looksActive" as const, data: { user }, sent: sent() }] : []),
      ...(gone && login.atOnce.kind === "in"
        ? [
            {
              name: "loginStillWorks" as const,
              data: { user, refusedAfterMs: login.refusedAfterMs },
              sent: sent(login.atOnce.exchange),
            },
          ]
        : []),
      ...(gone && token.atOnce.kind === "ok"
        ? [
            {
              name: "tokenStillWorks" as const,
              data: { user, refusedAfterMs: token.refusedAfterMs },
              sent: sent(token.atOnce.exchange),
            },
          ]
        : []),
      ...(gone && heir.rows !== null && heir.rows > 0
        ? [{ name: "inheritsRows" as const, data: { user, rows: heir.rows }, sent: sent(heir.made.exchange) }]
        : []),
      ...(second.dropped.kind === "ok" && second.before === "marked" && second.after === "active"
        ? [
            {
              name: "cameBack" as const,
              data: { user: second.user },
              sent: [second.dropped.exchange, second.wrong.exchange],
            },
          ]
        : []),
    ];
    if (found.length > 0) return fail(...found);
    const { wrote } = first;
    if (made.kind !== "ok" || wrote.kind !== "ok")
      return unknown(`the account could not be put to use: ${made.kind === "ok" ? wrote.message : made.message}`);
    const undropped = [dropped, second.dropped].find((said) => said.kind !== "ok");
    if (undropped !== undefined) return unknown(`DROP USER was not done: ${undropped.message}`);
    if ([shown, second.before, second.after].includes("unread")) return unknown("system.users could not be read");
    if (login.atOnce.kind !== "refused")
      return unknown(`the login afterwards was not answered: ${login.atOnce.outcome}`);
    if (token.atOnce.why !== "login")
      return unknown(`the token was not refused for what it is: ${token.atOnce.status ?? ""} ${token.atOnce.message}`);
    if (second.wrong.kind !== "refused") return unknown(`the wrong password was not answered: ${second.wrong.outcome}`);
    if (heir.made.kind !== "ok" && heir.made.kind !== "refused")
      return unknown(`making the name anew was not answered: ${heir.made.message}`);
    if (heir.made.kind === "ok" && heir.rows === null) return unknown("the new account of the name could not read");
    const name = heir.made.kind === "ok" ? "starts without rows when made anew" : "is refused to a new account";
    return pass(`2 users dropped and ${shown}; password and token refused at once; the name ${name}`);
  },
});

/** An account that is in use is dropped; then what it still can do, and what becomes of its name. */
async function leave(
  target: Target,
  context: Context,
  { op, leaver, table }: { op: Account; leaver: Account; table: string },
) {
  const user = leaver.name;
  const password = target.password(leaver);
  await use(target, leaver);
  const wrote = saidOf(await target.sql(leaver, `INSERT INTO ${table} (id, v) VALUES (1, 'of the first')`));
  const dropped = saidOf(await target.sql(op, `DROP USER '${user}'`));
  const shown = await showOf(target, op, user);
  const [login, token] = await Promise.all([
    ending(
      context,
      async () => (await tryLogin(target, user, password)).said,
      ({ kind }) => kind === "in",
    ),
    ending(
      context,
      async () => saidOf(await target.sql(leaver, "SELECT 1 AS still_in")),
      ({ kind }) => kind === "ok",
    ),
  ]);
  // The same password: it is known to be ours, so nothing prints it.
  const made = saidOf(await target.sql(op, `CREATE USER '${user}' WITH PASSWORD '${password}' ROLE user`));
  let rows: number | null = null;
  if (made.kind === "ok") {
    const { token: fresh } = await tryLogin(target, user, password);
    // Without a token of its own it would read with that of the dropped account, and tell nothing of the new one.
    const headers = { authorization: `Bearer ${fresh}` };
    const read = fresh === "" ? undefined : await target.sql(leaver, `SELECT id FROM ${table} LIMIT 5`, { headers });
    rows = read === undefined ? null : (rowsOf(read)?.length ?? null);
  }
  return { user, wrote, dropped, shown, login, token, heir: { made, rows } };
}

/**
 * Logs in, wrongly and rightly, and asks for something. A server that remembers accounts for a while, and forgets them
 * when it writes to them, remembers this one from here on: the same each time, and not by chance.
 */
async function use(target: Target, account: Account): Promise<void> {
  await tryLogin(target, account.name, "not-its-password");
  await tryLogin(target, account.name, target.password(account));
  await target.sql(account, "SELECT 1 AS in_use");
}

/** An account is dropped, and then somebody tries it with a wrong password. */
async function comeBack(target: Target, op: Account, account: Account) {
  const user = account.name;
  await use(target, account);
  const dropped = saidOf(await target.sql(op, `DROP USER '${user}'`));
  const before = await showOf(target, op, user);
  const { said: wrong } = await tryLogin(target, user, "not-its-password");
  return { user, dropped, before, wrong, after: await showOf(target, op, user) };
}

async function showOf(target: Target, op: Account, user: string): Promise<Shown> {
  const rows = rowsOf(await target.sql(op, `SELECT * FROM system.users WHERE user_id = '${user}' LIMIT 2`));
  if (rows === undefined) return "unread";
  const [row] = rows;
  if (row === undefined) return "gone";
  const mark = Object.entries(row).find(([column]) => /delet|dropped|disabled/i.test(column))?.[1];
  return mark === undefined || mark === null || mark === false || cellText(mark) === "" ? "active" : "marked";
}

async function ending<S extends LoginSaid | Said>(
  context: Context,
  ask: () => Promise<S>,
  works: (said: S) => boolean,
): Promise<Ending<S>> {
  const from = performance.now();
  const atOnce = await ask();
  if (!works(atOnce)) return { atOnce, refusedAfterMs: 0 };
  const last = await context.poll(ask, (said) => !works(said), { withinMs: lookForMs, everyMs: lookEveryMs });
  return { atOnce, refusedAfterMs: works(last) ? null : Math.round(performance.now() - from) };
}

function untilText(refusedAfterMs: number | null): string {
  return refusedAfterMs === null
    ? `for ${lookForMs / 1000} s at least`
    : `until it was refused after ${Math.round(refusedAfterMs / 1000)} s`;
}
