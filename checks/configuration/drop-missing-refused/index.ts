import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { saidOf, isCleanRefusal } from "../../../src/server/target.ts";

export const dropMissingRefused = defineCheck({
  id: "configuration/drop-missing-refused",
  title: "Dropping a missing namespace fails and names it",
  failureTitle: "Dropping a missing namespace succeeds, or does not name it",
  description:
    "Creates and drops a namespace, which must work. Then drops a missing namespace without IF EXISTS, which must fail with a message that names it.",
  blindTo: "It tries one name, and does not look at what else a drop removes.",
  risk: "A script with a typo in the name reports success, and the namespace it should drop stays.",
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
        `DROP NAMESPACE ${d.name} succeeded although it does not exist: ${d.message}`,
    },
    unclear: {
      say: (d: { name: string; message: string }) => `the error does not name ${d.name}: ${d.message}`,
      risk: "An operator cannot tell from the error which drop of a script failed.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const [present, missing] = [context.name("present"), context.name("missing")];
    context.need(await target.sql(op, `CREATE NAMESPACE ${present}`), "the namespace to drop could not be created");
    const control = saidOf(await target.sql(op, `DROP NAMESPACE ${present}`));
    return { missing, control, said: saidOf(await target.sql(op, `DROP NAMESPACE ${missing}`)) };
  },
  judge({ missing: name, control, said }, { found }) {
    if (said.kind === "ok") found.accepted({ name, message: said.message }, { sent: said });
    if (!isCleanRefusal(said))
      return unknown(`neither accepted nor rejected: ${said.status ?? "no answer"} ${said.code} ${said.message}`);
    if (!said.message.toLowerCase().includes(name)) found.unclear({ name, message: said.message }, { sent: said });
    if (control.kind !== "ok") return unknown(`dropping an existing namespace failed, too: ${control.message}`);
    return pass(`rejected with ${said.code}, and the message names it; an existing one was dropped`);
  },
});
