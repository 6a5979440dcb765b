import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Said } from "../../../src/server/target.ts";
import { fenceArrives, follow, textsIn } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";

/** How long a subscription may outlive the privilege. */
const boundedMs = 5_000;

type Revoked = {
  readonly how: string;
  readonly said: Said;
  /** Rows delivered that were written more than that time after the revocation. */
  readonly delivered: number;
  /** Whether the same row was delivered to an account that may read it. */
  readonly witnessed: boolean;
};

type Seen = { readonly revoked: readonly Revoked[] };

export const revokedUserCutOff = defineCheck({
  id: "subscriptions/revoked-user-cut-off",
  title: "Revoking a privilege ends the user's live queries",
  failureTitle: "A live query outlives its user's privilege",
  description: `A user is dropped, and a service account becomes a plain user, while each is subscribed to a table it may no longer read. ${boundedMs / 1000} s later a row is written: a subscription of a dba must deliver it, those two must not.`,
  blindTo:
    "KalamDB does not promise how soon a revocation applies to open connections; the check says what was seen after five seconds.",
  risk: "A user who was locked out goes on reading as long as the connection stays open.",
  remedy: "After revoking a privilege, kill the user's live queries (KILL LIVE QUERY) or restart the server.",
  covers: [],
  touches: "scratch",
  needs: ["dba"],
  level: "warn",
  estimateMs: 7_500,
  estimateRequests: 30,
  findings: {
    goesOn: {
      say: (d: { how: string; told: number }) =>
        `${d.how}: ${d.told} changes were still delivered ${boundedMs / 1000} s later`,
      timed: true,
    },
  },
  async observe(target, context): Promise<Seen> {
    const op = await target.account("dba");
    const witness = await target.account("dba", "witness");
    const columns = "id BIGINT PRIMARY KEY, mark TEXT";
    const table = await sharedTable(target, context, op, `${context.scratch}.guarded`, {
      columns,
      readers: ["service"],
    });
    const [dropped, demoted] = [await target.fresh("service"), await target.fresh("service")];
    const revocations = [
      { as: dropped, how: "a user that was dropped", sql: `DROP USER '${dropped.name}'` },
      {
        as: demoted,
        how: "a service account that became a plain user",
        sql: `ALTER USER '${demoted.name}' SET ROLE user`,
      },
    ];
    const write = async (id: number, mark: string) =>
      await target.sql(op, `INSERT INTO ${table} (id, mark) VALUES (${id}, '${mark}')`);
    const sql = `SELECT * FROM ${table}`;
    const witnessing = context.need(await follow(target, witness, sql), "the dba could not subscribe");
    const watched = await Promise.all(
      revocations.map(async ({ as, how }, at) => {
        const following = context.need(await follow(target, as, sql), `${how} could not subscribe before`);
        context.need(await write(at, `before ${at}`), "a row could not be written");
        const alive = await fenceArrives(following.subscription, "mark", `before ${at}`);
        context.need(alive || null, `${how}: nothing was delivered even before that`);
        return following;
      }),
    );
    const revoked = await Promise.all(
      watched.map(async ({ live, subscription }, at) => {
        const { how, sql: revoke } = context.need(revocations[at], "no revocation");
        const said = saidOf(await target.sql(op, revoke));
        // There is nothing to wait for but the close: what is tested is that nothing arrives after this time.
        await live.untilClosed(boundedMs);
        await write(10 + at, `after ${at}`);
        const witnessed = await fenceArrives(witnessing.subscription, "mark", `after ${at}`);
        // Only its own row: the other one may be written while this account still has its privilege.
        const delivered = textsIn(subscription, "mark").filter((mark) => mark === `after ${at}`).length;
        live.close();
        return { how, said, delivered, witnessed };
      }),
    );
    return { revoked };
  },
  judge({ revoked }, { found }) {
    for (const { how, delivered, said } of revoked)
      if (delivered > 0 && said.kind === "ok") found.goesOn({ how, told: delivered }, { case: how, sent: said });
    const undone = revoked.find((one) => one.said.kind !== "ok");
    if (undone !== undefined)
      return unknown(`${undone.how}: the privilege could not be revoked: ${undone.said.message}`);
    if (revoked.length < 2 || revoked.some((one) => !one.witnessed))
      return unknown("the dba's subscription did not deliver the row either, so silence shows nothing");
    return pass(
      `${revoked.length} of ${revoked.length} received nothing more ${boundedMs / 1000} s after their privilege was revoked`,
    );
  },
});
