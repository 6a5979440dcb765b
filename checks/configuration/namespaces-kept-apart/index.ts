import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, type Said } from "../../../src/server/target.ts";
import { sortTried, whyUnclear } from "../../vocabulary/trials.ts";

const letters = ["a", "b", "c", "d"] as const;

export const namespacesKeptApart = defineCheck({
  id: "configuration/namespaces-kept-apart",
  title: "Namespaces are created once, and kept apart",
  failureTitle: "Namespaces are lost, duplicated or invented",
  description:
    "Creates four namespaces, all of them again with IF NOT EXISTS, and one of them again without it and in upper case. IF NOT EXISTS must succeed; names ignore case, so both other repeats must be rejected. Exactly the four must be listed.",
  blindTo: "It looks at the list of namespaces, not at their contents.",
  risk: "A namespace that was created is missing, or an unexpected one exists, and a deployment works on the wrong one.",
  remedy: "Use lower-case names, and compare SHOW NAMESPACES with the expected names after each deployment.",
  covers: ["CFG-03"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: 12,
  findings: {
    lost: {
      say: (d: { names: readonly string[] }) => `created and acknowledged, but not listed: ${d.names.join(", ")}`,
    },
    extra: {
      say: (d: { names: readonly string[] }) => `listed twice, or listed but never created: ${d.names.join(", ")}`,
    },
    duplicateAccepted: {
      say: (d: { statement: string }) => `${d.statement} succeeded although the namespace exists`,
      risk: "Two applications that pick the same name share a namespace without noticing.",
      remedy: "Look in system.namespaces before creating a namespace, and use lower-case names.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const names = letters.map((letter) => context.name(letter));
    const send = async (sql: string): Promise<Said> => saidOf(await target.sql(op, sql));
    const created: Said[] = [];
    const repeated: Said[] = [];
    for (const name of names) created.push(await send(`CREATE NAMESPACE ${name}`));
    for (const name of names) repeated.push(await send(`CREATE NAMESPACE IF NOT EXISTS ${name}`));
    const [first = ""] = names;
    const duplicate = async (name: string): Promise<{ statement: string; said: Said }> => {
      const statement = `CREATE NAMESPACE ${name}`;
      return { statement, said: await send(statement) };
    };
    const plain = await duplicate(first);
    const capital = await duplicate(first.toUpperCase());
    const answer = await target.sql(
      op,
      `SELECT namespace_id FROM system.namespaces WHERE namespace_id > '${context.scratch}_' AND namespace_id < '${context.scratch}_z' ORDER BY namespace_id LIMIT 100`,
    );
    return { names, created, repeated, plain, capital, listing: saidOf(answer), listed: listed(answer) ?? null };
  },
  judge({ names, created, repeated, plain, capital, listing, listed: there }, { found }) {
    const acknowledged = names.filter((_, at) => created[at]?.kind === "ok");
    const lost = acknowledged.filter((name) => there?.includes(name) === false);
    const extra = (there ?? []).filter((name, at, all) => !names.includes(name) || all.indexOf(name) !== at);
    if (lost.length > 0) found.lost({ names: lost }, { sent: listing });
    if (extra.length > 0) found.extra({ names: extra }, { sent: listing });
    // A name whose CREATE got no answer may be free.
    const isTaken = [created[0], repeated[0]].some((said) => said?.kind === "ok");
    for (const { statement, said } of [plain, capital])
      if (isTaken && said.kind === "ok") found.duplicateAccepted({ statement }, { sent: said });
    if (there === null) return unknown(`the namespaces could not be listed: ${listing.message}`);
    if (acknowledged.length < names.length || names.length < letters.length)
      return unknown(`only ${acknowledged.length} of ${letters.length} namespaces were created`);
    const failed = repeated.find((one) => one.kind !== "ok");
    if (failed !== undefined || repeated.length < names.length)
      return unknown(`CREATE NAMESPACE IF NOT EXISTS did not succeed: ${failed?.message ?? "it was not sent"}`);
    const why = whyUnclear(sortTried([plain, capital].map(({ statement, said }) => ({ case: statement, said }))));
    if (why !== undefined) return unknown(why);
    return pass(
      `${names.length} created, ${repeated.length} repeats with IF NOT EXISTS without effect, 2 of 2 without it rejected, exactly ${there.length} listed`,
    );
  },
});
