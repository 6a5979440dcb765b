import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, type Said } from "../../../src/server/target.ts";

const repeats = 2;
/** The scratch namespace and two more. */
const othersMin = 3;

export const dropIfExistsIdempotent = defineCheck({
  id: "configuration/drop-if-exists-idempotent",
  title: "Dropping a missing namespace with IF EXISTS does nothing",
  failureTitle: "Dropping a missing namespace with IF EXISTS fails or drops one",
  description:
    "Drops a missing namespace with IF EXISTS, twice, while two namespaces with similar names exist. Both statements must succeed, and the list of namespaces must stay the same.",
  blindTo: "It compares names only; configuration/full-namespace-guarded looks at the rows in a namespace.",
  risk: "A clean-up script that runs again drops another namespace, too.",
  remedy: "Until this passes, compare system.namespaces before and after each drop.",
  covers: ["CFG-11"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 100,
  estimateRequests: 6,
  findings: {
    refused: {
      say: (d: { outcome: string }) => `DROP NAMESPACE IF EXISTS of a missing namespace was rejected: ${d.outcome}`,
      risk: "A clean-up script that runs again stops halfway.",
      remedy: "Until this passes, look in system.namespaces and drop only the namespaces that exist.",
    },
    changedSomething: {
      say: (d: { before: readonly string[]; after: readonly string[] }) =>
        `the list of namespaces changed from ${d.before.join(", ")} to ${d.after.join(", ")}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const missing = context.name("x");
    for (const other of [context.name("x1"), context.name("w")])
      context.need(await target.sql(op, `CREATE NAMESPACE ${other}`), `the namespace ${other} could not be created`);
    const where = `namespace_id >= '${context.scratch}' AND namespace_id < '${context.scratch}_z'`;
    const list = async (): Promise<readonly string[] | undefined> =>
      listed(
        await target.sql(
          op,
          `SELECT namespace_id FROM system.namespaces WHERE ${where} ORDER BY namespace_id LIMIT 100`,
        ),
      );
    const before = context.need(await list(), "the namespaces could not be listed before the drop");
    const drops: Said[] = [];
    for (let n = 0; n < repeats; n += 1)
      drops.push(saidOf(await target.sql(op, `DROP NAMESPACE IF EXISTS ${missing}`)));
    return { missing, before, drops, after: (await list()) ?? null };
  },
  judge({ missing, before, drops, after }, { found }) {
    if (before.includes(missing)) return unknown(`${missing} exists although it was never created`);
    const refused = drops.find((one) => one.kind === "refused" && one.why !== "rate");
    if (refused !== undefined) found.refused({ outcome: refused.message }, { sent: drops });
    if (after === null) return unknown("the namespaces could not be listed after the drop");
    if (before.join() !== after.join()) found.changedSomething({ before, after }, { sent: drops });
    if (before.length < othersMin)
      return unknown("the namespaces created beside it are not listed, so a wrong drop could not be noticed");
    const unsure = drops.find((one) => one.kind !== "ok");
    if (unsure !== undefined || drops.length < repeats)
      return unknown(`the drop was not answered: ${unsure?.message ?? "it was not sent"}`);
    return pass(`${drops.length} of ${drops.length} drops succeeded, ${after.length} other namespaces unchanged`);
  },
});
