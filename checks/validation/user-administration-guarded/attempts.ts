/** Tries statements that administer accounts and namespaces, and reads what exists before and after. */
import type { Context } from "../../../src/check.ts";
import { saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { sampleAtLight } from "../../vocabulary/sample.ts";
import { askedTwice } from "../../vocabulary/second-look.ts";
import { isPermissionDenied, shown } from "../../vocabulary/trials.ts";
import { fillNames, powers, powersOverSystem, type Finding, type Names, type Power } from "./administration.ts";

export type Tried = {
  readonly case: string;
  readonly role: string;
  readonly finding: Finding;
  /** Refusals that count besides a permission error: a parse error, or any clean refusal. */
  readonly alsoRefusedBy: "parse" | "any" | "none";
  readonly said: Said;
};
/** What an administrator saw of the run's accounts and names after the attempts of a role; null if it could not be read. */
export type Look = { readonly after: string; readonly shown: string | null };
export type Control = { readonly name: string; readonly works: boolean; readonly message: string };

/** Each account tries its statements, `wanted` of them those without privileges; the state of everything of ours is read before the first and after each account. */
export async function tryAll(
  target: Target,
  context: Context,
  { op, user, service, dba, victim }: Readonly<Record<"op" | "user" | "service" | "dba" | "victim", Account>>,
  names: Omit<Names, "me">,
): Promise<{ tried: Tried[]; looks: Look[]; wanted: number }> {
  const tried: Tried[] = [];
  const looks: Look[] = [];
  const look = async (after: string): Promise<void> => {
    const ours = [user, service, dba, victim].map(({ name }) => name).concat(names.planted);
    const queries = [
      `SELECT user_id, role, email, deleted_at FROM system.users WHERE user_id IN ('${ours.join("', '")}') ORDER BY user_id LIMIT 20`,
      `SELECT namespace_id FROM system.namespaces WHERE namespace_id IN ('${names.namespace}', '${names.plantedNamespace}') ORDER BY namespace_id LIMIT 10`,
      `SELECT storage_id FROM system.storages WHERE storage_id = '${names.planted}' LIMIT 10`,
      `SELECT job_type, status FROM system.jobs WHERE parameters LIKE '%${names.planted}%' LIMIT 10`,
    ];
    const before = looks.at(-1)?.shown;
    const isOther = (now: string | null): boolean => now !== null && before !== undefined && now !== before;
    const { last } = await askedTwice(async () => await shown(target, op, queries.join("; ")), isOther);
    looks.push({ after, shown: last });
  };
  const attempt = async (as: Account, power: Power, system = ""): Promise<void> => {
    const all = { ...names, me: as.name, system };
    const send = async (): Promise<Said> => saidOf(await target.sql(as, fillNames(power.sql, all)));
    const { first, last } = await askedTwice(send, ({ kind }) => kind === "ok");
    // What was accepted and done may well be refused the second time, but not for a missing right.
    const isConfirmed = last.kind === "ok" || (last.kind === "refused" && !isPermissionDenied(last));
    const said = first.kind === "ok" && isConfirmed ? first : last;
    const alsoRefusedBy = power.optional === true ? "parse" : power.anyRefusal === true ? "any" : "none";
    tried.push({ case: power.name, role: as.role, finding: power.finding, alsoRefusedBy, said });
    // No account keeps privileges or names that it got from this check.
    if (first.kind === "ok" && power.undo !== undefined) await target.sql(target.login, fillNames(power.undo, all));
  };

  await look("start");
  const ofService = sampleAtLight(
    context,
    powers.filter(({ serviceMay }) => serviceMay !== true),
    7,
    ({ finding }) => finding === "escalated",
  );
  for (const [as, own] of [
    [user, powers],
    [service, ofService],
  ] as const) {
    for (const power of own) await attempt(as, power);
    await look(as.role);
  }
  const wanted = powers.length + ofService.length;
  if (context.production) return { tried, looks, wanted };
  const system = context.accountName("system");
  const isSystem = target.login?.role === "system";
  const create = `CREATE USER '${system}' WITH PASSWORD '${names.password}' ROLE system`;
  const made = isSystem && (await target.sql(target.login, create)).kind === "ok";
  for (const power of powersOverSystem) if (made || power.needsSystem !== true) await attempt(dba, power, system);
  if (isSystem) await target.sql(target.login, `DROP USER IF EXISTS '${system}'`);
  await look("dba");
  return { tried, looks, wanted };
}

/** The same kinds of statements by a dba, who may run them. */
export async function tryControls(
  target: Target,
  context: Context,
  op: Account,
  password: string,
): Promise<readonly Control[]> {
  const account = context.accountName("control");
  const namespace = context.name("control");
  const controls: Control[] = [];
  for (const sql of [
    `CREATE USER '${account}' WITH PASSWORD '${password}' ROLE user`,
    `ALTER USER '${account}' SET ROLE service`,
    `DROP USER '${account}'`,
    `CREATE NAMESPACE ${namespace}`,
    `DROP NAMESPACE ${namespace}`,
  ]) {
    const { kind, message } = saidOf(await target.sql(op, sql));
    controls.push({ name: sql.split(" ").slice(0, 2).join(" "), works: kind === "ok", message });
  }
  return controls;
}

/** The status of a login with the account's own password; null if no answer came. */
export async function loginStatus(target: Target, account: Account): Promise<number | null> {
  const ask = async (): Promise<number | null> => {
    const reply = await target.request(null, {
      method: "POST",
      path: "/v1/api/auth/login",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ [target.capabilities.loginField]: account.name, password: target.password(account) }),
    });
    return reply.kind === "answered" ? reply.status : null;
  };
  return (await askedTwice(ask, (status) => status === 401)).last;
}
