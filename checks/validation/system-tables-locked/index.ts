import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Account, type Said } from "../../../src/server/target.ts";
import { shown, sortTried, tryAll, whyUnclear, type Trial, type Tried } from "../../vocabulary/trials.ts";

/** What is ours in the system's tables, and what would be if the server accepted what it should refuse. */
interface Ours {
  readonly account: string;
  readonly planted: string;
  readonly namespace: string;
  readonly plantedNamespace: string;
  readonly table: string;
}

/** One line a statement. Whatever it names is ours, or is not there at all. */
const writes: readonly (readonly [name: string, sql: (ours: Ours) => string])[] = [
  ["insert into users", (o) => `INSERT INTO system.users (user_id, role) VALUES ('${o.planted}', 'dba')`],
  ["update the role in users", (o) => `UPDATE system.users SET role = 'dba' WHERE user_id = '${o.account}'`],
  [
    "update the address in users",
    (o) => `UPDATE system.users SET email = 'kr@example.org' WHERE user_id = '${o.account}'`,
  ],
  ["delete from users", (o) => `DELETE FROM system.users WHERE user_id = '${o.account}'`],
  [
    "insert into namespaces",
    (o) =>
      `INSERT INTO system.namespaces (namespace_id, name) VALUES ('${o.plantedNamespace}', '${o.plantedNamespace}')`,
  ],
  ["delete from namespaces", (o) => `DELETE FROM system.namespaces WHERE namespace_id = '${o.namespace}'`],
  [
    "open a table in schemas",
    (o) => `UPDATE system.schemas SET access_level = 'public' WHERE namespace_id = '${o.namespace}'`,
  ],
  ["delete from tables", (o) => `DELETE FROM system.tables WHERE namespace_id = '${o.namespace}'`],
  [
    "delete from information_schema",
    (o) => `DELETE FROM information_schema.tables WHERE table_schema = '${o.namespace}'`,
  ],
  ["update settings", (o) => `UPDATE system.settings SET value = '0' WHERE name = '${o.planted}'`],
  ["update storages", (o) => `UPDATE system.storages SET storage_name = 'x' WHERE storage_id = '${o.planted}'`],
  ["delete from jobs", (o) => `DELETE FROM system.jobs WHERE job_id = '${o.planted}'`],
  ["delete from the audit log", (o) => `DELETE FROM system.audit_log WHERE audit_id = '${o.planted}'`],
  [
    "update behind a query",
    (o) => `SELECT 1 AS one; UPDATE system.users SET role = 'dba' WHERE user_id = '${o.account}'`,
  ],
  ["delete in a transaction", (o) => `BEGIN; DELETE FROM system.users WHERE user_id = '${o.account}'; COMMIT`],
];

/** These would change the system's tables for everybody, so they are tried only on a server that we started. */
const alterations: readonly (readonly [name: string, sql: (ours: Ours) => string])[] = [
  ["add a column", () => "ALTER TABLE system.users ADD COLUMN kr_extra TEXT"],
  ["drop a column", () => "ALTER TABLE system.users DROP COLUMN email"],
  ["rename a column", () => "ALTER TABLE system.users RENAME COLUMN email TO kr_email"],
  ["create a table among them", () => "CREATE TABLE system.kr_extra (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED')"],
  ["drop a system table", () => "DROP TABLE system.audit_log"],
];

type Look = { readonly after: string; readonly shown: string | null };

export const systemTablesLocked = defineCheck({
  id: "validation/system-tables-locked",
  title: "Nobody writes into the system's own tables",
  failureTitle: "The system's own tables can be written with SQL",
  description: `Tries ${writes.length} INSERT, UPDATE and DELETE statements on system.users, namespaces, schemas, settings, jobs and others as user, service and dba, also behind another statement and in a transaction; on a server that kalam-ready started, also ALTER, CREATE and DROP. They name only an account, a namespace and a table of the run's own. Each must be refused, what the system's tables show of ours must stay as it is, and each role can write into a table of its own.`,
  blindTo: "Whether CREATE USER and its like are guarded; user-administration-guarded looks at that.",
  risk: "Whoever may send SQL makes himself an administrator, or rubs out the traces.",
  remedy: "Give nobody the roles that got through, and compare system.users with the accounts you know.",
  covers: ["VAL-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 600,
  estimateRequests: 3 * (writes.length + 4) + 12,
  // One statement after the other: a busy machine must not take the answer away.
  timeoutMs: 120_000,
  findings: {
    accepted: {
      say: (d: { as: string; case: string; message: string }) => `${d.case}, as ${d.as}, was accepted: ${d.message}`,
    },
    changed: {
      say: (d: { after: string; before: string; now: string }) =>
        `what the system's tables show of ours is another after the tries as ${d.after}: ${d.now} instead of ${d.before}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const accounts = [await target.account("user"), await target.account("service"), op];
    const victim = await target.fresh("user");
    const ours: Ours = {
      account: victim.name,
      planted: context.accountName("planted"),
      namespace: context.name("locked"),
      plantedNamespace: context.name("planted"),
      table: "t",
    };
    const { namespace: ns, table } = ours;
    const setUp: Said[] = [];
    for (const sql of [
      `CREATE NAMESPACE ${ns}`,
      `CREATE TABLE ${ns}.${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (TYPE='USER')`,
      `CREATE TABLE ${ns}.closed (id BIGINT PRIMARY KEY) WITH (TYPE='SHARED', ACCESS_LEVEL='PRIVATE')`,
    ])
      setUp.push(saidOf(await target.sql(op, sql)));

    const look = async (after: string): Promise<Look> => ({
      after,
      shown: await shown(
        target,
        op,
        [
          `SELECT user_id, role, email, deleted_at FROM system.users WHERE user_id IN ('${ours.account}', '${ours.planted}') ORDER BY user_id LIMIT 10`,
          `SELECT namespace_id FROM system.namespaces WHERE namespace_id IN ('${ns}', '${ours.plantedNamespace}') ORDER BY namespace_id LIMIT 10`,
          `SELECT table_name, access_level FROM system.schemas WHERE namespace_id = '${ns}' ORDER BY table_name LIMIT 10`,
          "SELECT column_name FROM information_schema.columns WHERE table_schema = 'system' AND table_name = 'users' ORDER BY column_name LIMIT 100",
          "SELECT table_name FROM information_schema.tables WHERE table_schema = 'system' ORDER BY table_name LIMIT 200",
        ].join("; "),
      ),
    });
    const trialsOf = (as: Account): Trial[] =>
      [...writes, ...(target.control === undefined || as.role !== "dba" ? [] : alterations)].map(([name, sql]) => ({
        name,
        as,
        sql: sql(ours),
      }));
    const looks = [await look("nobody")];
    const tried: Tried[] = [];
    const controls: Said[] = [];
    for (const as of accounts) {
      tried.push(...(await tryAll(target, trialsOf(as))));
      looks.push(await look(as.role));
      for (const sql of [
        `INSERT INTO ${ns}.${table} (id, v) VALUES (1, 'a')`,
        `UPDATE ${ns}.${table} SET v = 'b' WHERE id = 1`,
        `DELETE FROM ${ns}.${table} WHERE id = 1`,
      ])
        controls.push(saidOf(await target.sql(as, sql)));
    }
    return { tried, looks, setUp, controls, ownServer: target.control !== undefined };
  },
  judge({ tried, looks, setUp, controls, ownServer }) {
    // Rights are a reason here as good as any other.
    const { accepted, refused, ...sorted } = sortTried(tried, true);
    const [before, ...later] = looks;
    const found = [
      ...accepted.map((one) => ({
        name: "accepted" as const,
        case: `${one.case}, as ${one.role}`,
        data: { as: one.role, case: one.case, message: one.said.message },
        sent: [one.said.exchange],
      })),
      ...later.flatMap(({ after, shown: now }, at) => {
        const then = looks[at]?.shown ?? null;
        if (now === null || then === null || now === then) return [];
        return [
          {
            name: "changed" as const,
            case: `after the tries as ${after}`,
            data: { after, before: then.slice(0, 200), now: now.slice(0, 200) },
            sent: tried.filter(({ role }) => role === after).map(({ said }) => said.exchange),
          },
        ];
      }),
    ];
    if (found.length > 0) return fail(...found);
    const broken = setUp.find(({ kind }) => kind !== "ok");
    if (broken !== undefined) return unknown(`the set-up did not work: ${broken.message}`);
    if (before === undefined || looks.some((one) => one.shown === null) || later.length < 3)
      return unknown("the system's tables could not be read before and after, so nobody saw whether anything changed");
    const vague = whyUnclear({ accepted, refused, ...sorted });
    if (vague !== undefined) return unknown(vague);
    const wanted = 3 * writes.length + (ownServer ? alterations.length : 0);
    if (tried.length < wanted) return unknown(`only ${tried.length} of ${wanted} statements were tried`);
    const failing = controls.find(({ kind }) => kind !== "ok");
    if (failing !== undefined || controls.length < 9)
      return unknown(`writing into an own table did not work either: ${failing?.message ?? "it was not tried"}`);
    return pass(
      `${refused.length} of ${tried.length} statements refused as user, service and dba, nothing of ours changed${ownServer ? "" : "; ALTER and DROP were not tried on a server that is not ours"}`,
    );
  },
});
