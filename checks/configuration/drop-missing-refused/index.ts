import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal } from "../../../src/server/target.ts";

export const dropMissingRefused = defineCheck({
  id: "configuration/drop-missing-refused",
  title: "DROP NAMESPACE of nothing is refused, by name",
  failureTitle: "DROP NAMESPACE of nothing is accepted, or names nothing",
  description:
    "Drops a namespace that does not exist, without IF EXISTS. It must be refused with a text that names it. Dropping one that exists must work, just before.",
  blindTo: "One name, one try; what a drop takes along is for other checks.",
  risk: "A script that drops the wrong name is told that all went well.",
  remedy: "Look up the name in system.namespaces before dropping it.",
  covers: ["CFG-12"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 100,
  estimateRequests: 3,
  findings: {
    accepted: {
      say: (d: { name: string; message: string }) =>
        `DROP NAMESPACE ${d.name} succeeded although there is none: ${d.message}`,
    },
    unclear: { say: (d: { name: string; message: string }) => `the refusal does not name ${d.name}: ${d.message}` },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const present = context.name("present");
    const missing = context.name("missing");
    await target.sql(op, `CREATE NAMESPACE ${present}`);
    const control = saidOf(await target.sql(op, `DROP NAMESPACE ${present}`));
    return { missing, control, said: saidOf(await target.sql(op, `DROP NAMESPACE ${missing}`)) };
  },
  judge({ missing, control, said }) {
    const sent = [said.exchange];
    if (said.kind === "ok") return fail({ name: "accepted", data: { name: missing, message: said.message }, sent });
    if (!isCleanRefusal(said))
      return unknown(`neither accepted nor refused, but ${said.status ?? "no answer"} ${said.code} ${said.message}`);
    if (!said.message.toLowerCase().includes(missing))
      return fail({ name: "unclear", data: { name: missing, message: said.message }, sent });
    if (control.kind !== "ok") return unknown(`dropping one that exists did not work either: ${control.message}`);
    return pass(`refused with ${said.code}, and the text names it; one that exists was dropped`);
  },
});
