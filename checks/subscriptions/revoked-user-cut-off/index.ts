import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, type Said } from "../../../src/server/target.ts";
import { fenceArrives, follow, textsIn } from "../../vocabulary/following.ts";
import { sharedTable } from "../../vocabulary/tables.ts";
import { isLate, paceText, waitPatiently, whySlow, type Pace } from "../../vocabulary/pace.ts";

/** How long a subscription may outlive the privilege. */
const boundedMs = 5_000;

type Revoked = {
  readonly how: string;
  readonly said: Said;
  /** Rows delivered that were written more than that time after the revocation. */
  readonly delivered: number;
  /** Whether the same row was delivered to an account that may read it. */
  readonly witnessed: boolean;
  /** Its connection ended without a close. */
  readonly broke: boolean;
  /** Between the revocation and the row. */
  readonly pace: Pace;
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
  waits: true,
  level: "warn",
  estimateMs: 7_500,
  estimateRequests: 30,
  from: { effort: "standard", needs: `${boundedMs / 1000} s to pass after a revocation` },
  findings: {
    goesOn: {
      say: (d: { how: string; told: number; pace: Pace }) =>
        `${d.how}: ${d.told} changes were still delivered ${d.pace.waitedMs} ms later, ${paceText(d.pace)}`,
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
        const { pace } = await waitPatiently(target, op, {
          floorMs: boundedMs,
          controlAfterMs: boundedMs / 2,
          wait: async (withinMs) => await live.untilClosed(withinMs),
          done: (end) => end !== undefined,
        });
        await write(10 + at, `after ${at}`);
        const witnessed = await fenceArrives(witnessing.subscription, "mark", `after ${at}`);
        // Only its own row: the other one may be written while this account still has its privilege.
        const delivered = textsIn(subscription, "mark").filter((mark) => mark === `after ${at}`).length;
        // A connection that merely broke would have delivered nothing anyway.
        const broke = live.closed()?.code === 1006;
        live.close();
        return { how, said, delivered, witnessed, broke, pace };
      }),
    );
    return { revoked };
  },
  judge({ revoked }, { found }) {
    const going = revoked.filter(({ delivered, said }) => delivered > 0 && said.kind === "ok");
    for (const { how, delivered, said, pace } of going.filter((one) => isLate(one.pace)))
      found.goesOn({ how, told: delivered, pace }, { case: how, sent: said });
    const undone = revoked.find((one) => one.said.kind !== "ok");
    if (undone !== undefined)
      return unknown(`${undone.how}: the privilege could not be revoked: ${undone.said.message}`);
    if (going[0] !== undefined) return unknown(`${going[0].how}: changes still came; ${whySlow(going[0].pace)}`);
    const broken = revoked.find(({ broke }) => broke);
    if (broken !== undefined) return unknown(`${broken.how}: its connection broke, so silence shows nothing`);
    if (revoked.length < 2 || revoked.some((one) => !one.witnessed))
      return unknown("the dba's subscription did not deliver the row either, so silence shows nothing");
    return pass(
      `${revoked.length} of ${revoked.length} received nothing more ${boundedMs / 1000} s after their privilege was revoked`,
    );
  },
});
