import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Account, type Said, type Target } from "../../../src/server/target.ts";
import { fenceArrives, follow, textsIn } from "../../vocabulary/following.ts";

/** How long a subscription may outlive the right to it. */
const boundedMs = 5_000;

type Revoked = {
  readonly how: string;
  readonly said: Said;
  /** Rows told that were written more than the bounded time after the revocation. */
  readonly told: number;
  readonly witnessed: boolean;
};

export const revokedUserCutOff = defineCheck({
  id: "subscriptions/revoked-user-cut-off",
  title: "Whoever loses the right loses the live query, too",
  failureTitle: "A live query goes on after its user lost the right",
  description: `A user is dropped, and a service account becomes a plain user, while each is subscribed to a table it may no longer read. ${boundedMs / 1000} s later a row is written: a witness is told of it, the two must not be.`,
  blindTo:
    "KalamDB does not promise how soon a right ends on open connections; the check says what was seen after five seconds.",
  risk: "Somebody who was locked out goes on reading as long as the connection stands.",
  remedy: "Restart the server, or end the live queries by hand, after you take a right away.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 7_500,
  estimateRequests: 30,
  findings: {
    goesOn: {
      say: (d: { how: string; told: number }) =>
        `${d.how}: still told of ${d.told} changes ${boundedMs / 1000} s later`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const witness = await target.account("dba", "witness");
    const table = `${scratch}.guarded`;
    const made = await target.sql(
      op,
      `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, mark TEXT) WITH (TYPE='SHARED', ACCESS_LEVEL='PRIVATE')`,
    );
    if (made.kind !== "ok") return { revoked: [], why: made.message };
    const [dropped, demoted] = [await target.fresh("service"), await target.fresh("service")];
    const results = await Promise.all([
      revoke(target, {
        op,
        witness,
        table,
        as: dropped,
        how: "a user that was dropped",
        sql: `DROP USER '${dropped.name}'`,
        id: 1,
      }),
      revoke(target, {
        op,
        witness,
        table,
        as: demoted,
        how: "a service account that became a plain user",
        sql: `ALTER USER '${demoted.name}' SET ROLE user`,
        id: 2,
      }),
    ]);
    const why = results.find((one) => "why" in one);
    return {
      revoked: results.flatMap((one) => ("why" in one ? [] : [one])),
      why: why !== undefined && "why" in why ? why.why : null,
    };
  },
  judge({ revoked, why }) {
    const going = revoked.filter((one) => one.told > 0 && one.said.kind === "ok");
    if (going.length > 0)
      return fail(
        ...going.map(({ how, told, said }) => ({
          name: "goesOn" as const,
          case: how,
          data: { how, told },
          sent: [said.exchange],
        })),
      );
    if (why !== null) return unknown(why);
    const undone = revoked.find((one) => one.said.kind !== "ok");
    if (undone !== undefined)
      return unknown(`${undone.how}: the right could not be taken away: ${undone.said.message}`);
    if (revoked.length < 2 || revoked.some((one) => !one.witnessed))
      return unknown("the witness was not told of the row either, so silence shows nothing");
    return pass(
      `${revoked.length} of ${revoked.length} were told nothing more ${boundedMs / 1000} s after they had lost the right`,
    );
  },
});

interface Revocation {
  readonly op: Account;
  readonly witness: Account;
  readonly table: string;
  readonly as: Account;
  readonly how: string;
  readonly sql: string;
  readonly id: number;
}

async function revoke(
  target: Target,
  { op, witness, table, as, how, sql, id }: Revocation,
): Promise<Revoked | { why: string }> {
  const [watched, witnessing] = [
    await follow(target, as, `SELECT * FROM ${table}`),
    await follow(target, witness, `SELECT * FROM ${table}`),
  ];
  if ("why" in watched) return watched;
  if ("why" in witnessing) return witnessing;
  await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${id}, 'before ${id}')`);
  if (!(await fenceArrives(watched.subscription, "mark", `before ${id}`)))
    return { why: `${how}: was not told before either` };
  const said = saidOf(await target.sql(op, sql));
  // Nothing can be waited for here: the promise under test is that nothing comes, a bounded time after.
  await watched.live.untilClosed(boundedMs);
  await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${id + 10}, 'after ${id}')`);
  const witnessed = await fenceArrives(witnessing.subscription, "mark", `after ${id}`);
  // Only its own row: that of the other revocation may be written while this account still has its right.
  const told = textsIn(watched.subscription, "mark").filter((mark) => mark === `after ${id}`).length;
  witnessing.live.close();
  watched.live.close();
  return { how, said, told, witnessed };
}
