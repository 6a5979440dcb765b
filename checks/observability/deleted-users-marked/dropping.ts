/** Accounts that are dropped while in use, and what still works afterwards. */
import type { Context } from "../../../src/check.ts";
import { cellText, rowsOf, saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { tryLogin, type LoginSaid } from "../../vocabulary/logins.ts";

/** If a dropped account still works: how long to wait until it no longer does. */
export const watchMs = 8_000;
const watchEveryMs = 1_000;

/** How system.users shows an account: not at all, as deleted, as active; `unread` if the view could not be read. */
type Shown = "gone" | "marked" | "active" | "unread";
/** What an account did before it was dropped. */
export type Used = { readonly wrong: LoginSaid; readonly right: LoginSaid; readonly query: Said };
/** The first attempt, and how long until one was refused; null if none was within `watchMs`. */
type Attempted<S> = { readonly first: S; readonly refusedAfterMs: number | null };

/** Drops an account that is in use, then tries its password, its token and its name. */
export async function dropAndTryAccess(
  target: Target,
  context: Context,
  { op, owner, table, used }: { op: Account; owner: Account; table: string; used: Used },
) {
  const user = owner.name;
  const password = target.password(owner);
  const dropped = saidOf(await target.sql(op, `DROP USER '${user}'`));
  const shown = await stateOf(target, op, user);
  const [login, token] = await Promise.all([
    attempt(
      context,
      async () => (await tryLogin(target, user, password)).said,
      ({ kind }) => kind === "in",
    ),
    attempt(
      context,
      async () => saidOf(await target.sql(owner, "SELECT 1 AS still_in")),
      ({ kind }) => kind === "ok",
    ),
  ]);
  // The same password, because reports already redact it.
  const said = saidOf(await target.sql(op, `CREATE USER '${user}' WITH PASSWORD '${password}' ROLE user`));
  const rows = said.kind === "ok" ? await rowsSeenAnew(target, owner, table) : null;
  return { user, used, dropped, shown, login, token, recreated: { said, rows } };
}

/** How many rows the new account of this name reads; null if that could not be tried. */
async function rowsSeenAnew(target: Target, owner: Account, table: string): Promise<number | null> {
  const { token } = await tryLogin(target, owner.name, target.password(owner));
  // Without a token of its own, the request would carry that of the dropped account.
  if (token === "") return null;
  const headers = { authorization: `Bearer ${token}` };
  return rowsOf(await target.sql(owner, `SELECT id FROM ${table} LIMIT 5`, { headers }))?.length ?? null;
}

/**
 * Logs in with a wrong and with the right password and sends a query. A server that caches accounts and updates the
 * cache on writes has this account in its cache afterwards, on every run.
 */
export async function use(target: Target, account: Account): Promise<Used> {
  const { said: wrong } = await tryLogin(target, account.name, "not-its-password");
  const { said: right } = await tryLogin(target, account.name, target.password(account));
  return { wrong, right, query: saidOf(await target.sql(account, "SELECT 1 AS in_use")) };
}

/** Drops an account that is in use, then tries to log in with a wrong password. */
export async function dropAndFailLogin(target: Target, op: Account, account: Account) {
  const user = account.name;
  const used = await use(target, account);
  const dropped = saidOf(await target.sql(op, `DROP USER '${user}'`));
  const before = await stateOf(target, op, user);
  const { said: wrong } = await tryLogin(target, user, "not-its-password");
  return { user, used, dropped, before, wrong, after: await stateOf(target, op, user) };
}

async function stateOf(target: Target, op: Account, user: string): Promise<Shown> {
  const rows = rowsOf(await target.sql(op, `SELECT * FROM system.users WHERE user_id = '${user}' LIMIT 2`));
  if (rows === undefined) return "unread";
  const [row] = rows;
  if (row === undefined) return "gone";
  const mark = Object.entries(row).find(([column]) => /delet|dropped|disabled/i.test(column))?.[1];
  return mark === undefined || mark === null || mark === false || cellText(mark) === "" ? "active" : "marked";
}

/** Tries once, and if that works, until it no longer does. */
async function attempt<S extends LoginSaid | Said>(
  context: Context,
  ask: () => Promise<S>,
  works: (said: S) => boolean,
): Promise<Attempted<S>> {
  const from = performance.now();
  const first = await ask();
  if (!works(first)) return { first, refusedAfterMs: 0 };
  const last = await context.poll(ask, (said) => !works(said), { withinMs: watchMs, everyMs: watchEveryMs });
  return { first, refusedAfterMs: works(last) ? null : Math.round(performance.now() - from) };
}
