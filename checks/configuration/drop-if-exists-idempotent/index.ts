import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, type Said } from "../../../src/server/target.ts";

const repeats = 2;

export const dropIfExistsIdempotent = defineCheck({
  id: "configuration/drop-if-exists-idempotent",
  title: "DROP NAMESPACE IF EXISTS of nothing does nothing",
  failureTitle: "DROP NAMESPACE IF EXISTS of nothing fails or drops another",
  description:
    "Drops a namespace that does not exist with IF EXISTS, twice, beside two that do exist and whose names begin alike. Both must succeed, and the two others must still be listed.",
  blindTo: "It looks at names only; full-namespace-guarded looks at what is in a namespace.",
  risk: "A clean-up script that is run twice stops in the middle, or takes a neighbour with it.",
  remedy: "Until this passes, look up system.namespaces before and after each drop.",
  covers: ["CFG-11"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 100,
  estimateRequests: 6,
  findings: {
    refused: { say: (d: { outcome: string }) => `DROP NAMESPACE IF EXISTS of a missing one was refused: ${d.outcome}` },
    changedSomething: {
      say: (d: { before: readonly string[]; after: readonly string[] }) =>
        `it changed the list from ${d.before.join(", ")} to ${d.after.join(", ")}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const missing = context.name("x");
    for (const neighbour of [context.name("x1"), context.name("w")])
      await target.sql(op, `CREATE NAMESPACE ${neighbour}`);
    const list = async (): Promise<readonly string[] | null> => {
      const { scratch } = context;
      const where = `namespace_id >= '${scratch}' AND namespace_id < '${scratch}_z'`;
      return (
        listed(
          await target.sql(
            op,
            `SELECT namespace_id FROM system.namespaces WHERE ${where} ORDER BY namespace_id LIMIT 100`,
          ),
        ) ?? null
      );
    };
    const before = await list();
    const drops: Said[] = [];
    for (let n = 0; n < repeats; n += 1)
      drops.push(saidOf(await target.sql(op, `DROP NAMESPACE IF EXISTS ${missing}`)));
    return { missing, before, drops, after: await list() };
  },
  judge({ missing, before, drops, after }) {
    if (before === null || after === null) return unknown("the namespaces could not be listed before and after");
    const sent = drops.map((one) => one.exchange);
    const refused = drops.find((one) => one.kind === "refused");
    const found = [
      ...(refused === undefined ? [] : [{ name: "refused" as const, data: { outcome: refused.message }, sent }]),
      ...(before.join() === after.join() ? [] : [{ name: "changedSomething" as const, data: { before, after }, sent }]),
    ];
    if (before.includes(missing)) return unknown(`${missing} was there although nobody had made it`);
    if (found.length > 0) return fail(...found);
    if (before.length < 3)
      return unknown("the neighbours could not be created, so nothing could have been dropped by mistake");
    const unsure = drops.find((one) => one.kind !== "ok");
    if (unsure !== undefined || drops.length < repeats)
      return unknown(`the drop was not answered: ${unsure?.message ?? "it was not tried"}`);
    return pass(`${drops.length} of ${drops.length} drops of nothing succeeded, ${after.length} neighbours unchanged`);
  },
});
