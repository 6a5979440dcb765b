import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal, type Account, type Said } from "../../../src/server/target.ts";
import { isPermissionDenied, shown } from "../../vocabulary/trials.ts";
import { fillNames, powers, powersOverSystem, type Finding, type Names, type Power } from "./administration.ts";

type Tried = {
  readonly case: string;
  readonly role: string;
  readonly finding: Finding;
  /** Which other reasons than want of rights will do: no such statement, or not in this form. */
  readonly mayBe: "lacking" | "formed" | "neither";
  readonly said: Said;
};
/** What an administrator saw of ours after the tries of a role; null where it could not be read. */
type Look = { readonly after: string; readonly shown: string | null };
type Control = { readonly name: string; readonly works: boolean; readonly message: string };

export const userAdministrationGuarded = defineCheck({
  id: "validation/user-administration-guarded",
  title: "Only administrators administer",
  failureTitle: "Somebody administers, or rises, who may not",
  description: `A plain user and a service account, both made for this, try ${powers.length} statements that are for administrators (accounts, roles, passwords, namespaces, storages, backups, jobs, topics), also hidden behind a query or a comment, in a transaction or in EXECUTE AS. Each must be refused for want of rights, afterwards an administrator must see everything of ours as before, and the other account's password must still work. A dba can do the same. A dba then tries to make, or to become, a system account; that is left out where the profile says production: true.`,
  blindTo:
    "Creating storages and backups is tried by those who may not, and not shown to work for those who may. Rights of a session that is already open after a role was taken away.",
  risk: "Somebody gives himself rights that nobody gave him: a user those of an administrator, a dba those of the system.",
  remedy: "Revoke what got through by its finding; look through system.users for accounts and roles that nobody gave.",
  covers: ["VAL-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 1_200,
  estimateRequests: 2 * powers.length + 30,
  findings: {
    escalated: { say: (d: { as: string; case: string; message: string }) => `a ${d.as} could ${d.case}: ${d.message}` },
    smuggled: { say: (d: { as: string; case: string; message: string }) => `a ${d.as} could ${d.case}: ${d.message}` },
    accepted: { say: (d: { as: string; case: string; message: string }) => `a ${d.as} could ${d.case}: ${d.message}` },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const [user, service, dba, victim] = await Promise.all([
      target.fresh("user"),
      target.fresh("service"),
      target.fresh("dba"),
      target.fresh("user"),
    ]);
    const names: Omit<Names, "me"> = {
      victim: victim.name,
      // Any password will do that the redaction knows.
      password: target.password(user),
      op: op.name,
      planted: context.accountName("planted"),
      plantedNamespace: context.name("planted"),
      namespace: context.name("own"),
    };
    const setUp = [
      saidOf(await target.sql(op, `CREATE NAMESPACE ${names.namespace}`)),
      saidOf(await target.sql(op, `CREATE TABLE ${names.namespace}.t (id BIGINT PRIMARY KEY) WITH (TYPE='USER')`)),
      saidOf(await target.sql(user, `INSERT INTO ${names.namespace}.t (id) VALUES (1)`)),
    ];

    const look = async (after: string): Promise<Look> => {
      const ours = [user, service, dba, victim].map(({ name }) => name).concat(names.planted);
      const queries = [
        `SELECT user_id, role, email, deleted_at FROM system.users WHERE user_id IN ('${ours.join("', '")}') ORDER BY user_id LIMIT 20`,
        `SELECT namespace_id FROM system.namespaces WHERE namespace_id IN ('${names.namespace}', '${names.plantedNamespace}') ORDER BY namespace_id LIMIT 10`,
        `SELECT storage_id FROM system.storages WHERE storage_id = '${names.planted}' LIMIT 10`,
        `SELECT job_type, status FROM system.jobs WHERE parameters LIKE '%${names.planted}%' LIMIT 10`,
      ];
      return { after, shown: await shown(target, op, queries.join("; ")) };
    };
    const tried: Tried[] = [];
    const attempt = async (as: Account, power: Power, more: Readonly<Record<string, string>> = {}): Promise<void> => {
      const all = { ...names, me: as.name, ...more };
      const said = saidOf(await target.sql(as, fillNames(power.sql, all)));
      tried.push({
        case: power.name,
        role: as.role,
        finding: power.finding,
        mayBe: power.optional === true ? "lacking" : power.formed === true ? "formed" : "neither",
        said,
      });
      // Nobody keeps rights or names that this check let him get.
      if (said.kind === "ok" && power.undo !== undefined) await target.sql(target.login, fillNames(power.undo, all));
    };

    const looks = [await look("nobody")];
    for (const as of [user, service]) {
      for (const power of powers) if (as.role === "user" || power.serviceMay !== true) await attempt(as, power);
      looks.push(await look(as.role));
    }
    if (!context.production) {
      const system = context.accountName("system");
      const isSystem = target.login.role === "system";
      const create = `CREATE USER '${system}' WITH PASSWORD '${names.password}' ROLE system`;
      const made = isSystem && (await target.sql(target.login, create)).kind === "ok";
      for (const power of powersOverSystem)
        if (made || power.needsSystem !== true) await attempt(dba, power, { system });
      if (isSystem) await target.sql(target.login, `DROP USER IF EXISTS '${system}'`);
      looks.push(await look("dba"));
    }
    const login = await target.request(null, {
      method: "POST",
      path: "/v1/api/auth/login",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ [target.capabilities.loginField]: victim.name, password: target.password(victim) }),
    });
    const control = context.accountName("control");
    const controlNamespace = context.name("control");
    const controls: Control[] = [];
    for (const sql of [
      `CREATE USER '${control}' WITH PASSWORD '${names.password}' ROLE user`,
      `ALTER USER '${control}' SET ROLE service`,
      `DROP USER '${control}'`,
      `CREATE NAMESPACE ${controlNamespace}`,
      `DROP NAMESPACE ${controlNamespace}`,
    ]) {
      const said = saidOf(await target.sql(op, sql));
      controls.push({ name: sql.split(" ").slice(0, 2).join(" "), works: said.kind === "ok", message: said.message });
    }
    return {
      setUp,
      tried,
      looks,
      controls,
      login: login.kind === "answered" ? login.status : null,
      production: context.production,
    };
  },
  judge({ setUp, tried, looks, controls, login, production }) {
    const accepted = tried.filter(({ said }) => said.kind === "ok");
    const changes = looks.slice(1).flatMap(({ after, shown: now }, at) => {
      const before = looks[at]?.shown ?? null;
      // What an accepted statement changed is told by it, and what it made was taken back.
      const told = accepted.some(({ role }) => role === after);
      return now === null || before === null || now === before || told ? [] : [{ after, now }];
    });
    const found = [
      ...accepted.map((one) => ({
        name: one.finding,
        case: `${one.case}, as ${one.role}`,
        data: { as: one.role, case: one.case, message: `${one.said.status ?? ""} ${one.said.message}`.trim() },
        sent: [one.said.exchange],
      })),
      ...changes.map(({ after, now }) => ({
        name: "accepted" as const,
        case: `refused and done, as ${after}`,
        data: { as: after, case: "change something although all was refused", message: now.slice(0, 300) },
        sent: tried.filter(({ role }) => role === after).map(({ said }) => said.exchange),
      })),
      ...(login === 401
        ? [
            {
              name: "escalated" as const,
              case: "the password, afterwards",
              data: { as: "user", case: "set another's password", message: "the old one does not work any more" },
            },
          ]
        : []),
    ];
    if (found.length > 0) return fail(...found);
    const broken = setUp.find(({ kind }) => kind !== "ok");
    if (broken !== undefined) return unknown(`the set-up did not work: ${broken.message}`);
    const other = tried.find(
      ({ said, mayBe }) =>
        !isPermissionDenied(said) &&
        !(mayBe === "lacking" && said.why === "parse") &&
        !(mayBe === "formed" && isCleanRefusal(said)),
    );
    if (other !== undefined)
      return unknown(
        `${other.case}, as ${other.role}, was not refused for want of rights: ${other.said.code} ${other.said.message}`,
      );
    if (looks.length < (production ? 3 : 4) || looks.some((one) => one.shown === null))
      return unknown(
        "what there is of ours could not be read before and after, so nobody saw whether anything changed",
      );
    if (login !== 200)
      return unknown(`whether the other account's password still works was not seen: ${login ?? "no answer"}`);
    const failing = controls.find(({ works }) => !works);
    if (failing !== undefined || controls.length < 5)
      return unknown(`a dba could not do it either: ${failing?.name ?? "it was not tried"} ${failing?.message ?? ""}`);
    const wanted = powers.length * 2 - powers.filter(({ serviceMay }) => serviceMay === true).length;
    const lower = tried.filter(({ role }) => role !== "dba").length;
    const higher = tried.length - lower;
    if (lower < wanted || (!production && higher < 3)) return unknown(`only ${tried.length} statements were tried`);
    return pass(
      `${lower} of ${lower} tries of user and service refused, ${production ? "those of a dba left out here" : `${higher} of ${higher} of a dba`}; nothing of ours changed, and a dba may do it`,
    );
  },
});
