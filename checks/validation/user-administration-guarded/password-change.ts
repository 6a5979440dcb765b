/** A dba changes the password of an account: afterwards the new one logs in, and the old one no longer does. */
import type { Context } from "../../../src/check.ts";
import { saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { tryLogin, type LoginSaid } from "../../vocabulary/logins.ts";
import { afterAWhile } from "../../vocabulary/looking-again.ts";

const againAfterMs = 1_000;

export type Look = { readonly first: LoginSaid; readonly last: LoginSaid };
export type PasswordChange = {
  readonly user: string;
  readonly changed: Said;
  /** What was not as expected is tried again; on a server that is right, there is one wrong password, far from a lock. */
  readonly newOne: Look;
  readonly oldOne: Look;
};

/** `password`: the new one, which the report redacts. The account must be a fresh one: it cannot be used afterwards. */
export async function changePassword(
  target: Target,
  context: Pick<Context, "poll">,
  op: Account,
  account: Account,
  password: string,
): Promise<PasswordChange> {
  const user = account.name;
  const changed = saidOf(await target.sql(op, `ALTER USER '${user}' SET PASSWORD '${password}'`));
  const look = async (tried: string, expected: LoginSaid["kind"]): Promise<Look> => {
    const ask = async (): Promise<LoginSaid> => (await tryLogin(target, user, tried)).said;
    const first = await ask();
    return { first, last: first.kind === expected ? first : await afterAWhile(context, ask, againAfterMs) };
  };
  const newOne = await look(password, "in");
  return { user, changed, newOne, oldOne: await look(target.password(account), "refused") };
}

/** Both looks show it. */
export function isTwice({ first, last }: Look, kind: LoginSaid["kind"]): boolean {
  return first.kind === kind && last.kind === kind;
}

/** For `unknown`: why the change shows nothing; undefined if all was as it must be. */
export function whyUnchanged({ changed, newOne, oldOne }: PasswordChange): string | undefined {
  if (changed.kind !== "ok") return `a dba could not change a password: ${changed.message}`;
  if (newOne.first.kind !== "in") return `the login with a changed password is inconclusive: ${newOne.first.outcome}`;
  return oldOne.first.kind === "refused"
    ? undefined
    : `the login with the password before a change is inconclusive: ${oldOne.first.outcome}`;
}
