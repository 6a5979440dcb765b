import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";

const letters = ["a", "b", "c", "d"] as const;

export const namespacesKeptApart = defineCheck({
  id: "configuration/namespaces-kept-apart",
  title: "Namespaces are created once, and kept apart",
  failureTitle: "Creating namespaces loses, doubles or invents some",
  description:
    "Creates four namespaces, each again with IF NOT EXISTS, one again plainly, and one in capital letters. The plain repeat must be refused; capital letters mean the same name, so they must be refused, too; and exactly the four must be listed.",
  blindTo: "It looks at the list of namespaces, not at what is in them.",
  risk: "Two applications share a namespace, or a deployment that is run twice fails, or creates a second one.",
  remedy: "Use CREATE NAMESPACE IF NOT EXISTS in scripts, lower-case names, and compare with SHOW NAMESPACES.",
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
      say: (d: { names: readonly string[] }) => `listed, but never asked for or listed twice: ${d.names.join(", ")}`,
    },
    duplicateAccepted: { say: (d: { statement: string }) => `${d.statement} succeeded although the namespace existed` },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const names = letters.map((letter) => context.name(letter));
    const created: Said[] = [];
    const repeated: Said[] = [];
    for (const name of names) created.push(saidOf(await target.sql(op, `CREATE NAMESPACE ${name}`)));
    for (const name of names) repeated.push(saidOf(await target.sql(op, `CREATE NAMESPACE IF NOT EXISTS ${name}`)));
    const [first = ""] = names;
    const plain = {
      statement: `CREATE NAMESPACE ${first}`,
      said: saidOf(await target.sql(op, `CREATE NAMESPACE ${first}`)),
    };
    const statement = `CREATE NAMESPACE ${first.toUpperCase()}`;
    const capital = { statement, said: saidOf(await target.sql(op, statement)) };
    const answer = await target.sql(
      op,
      `SELECT namespace_id FROM system.namespaces WHERE namespace_id > '${context.scratch}_' AND namespace_id < '${context.scratch}_z' ORDER BY namespace_id LIMIT 100`,
    );
    return { names, created, repeated, plain, capital, listing: saidOf(answer), listed: listed(answer) ?? null };
  },
  judge(seen) {
    const { names, created, repeated, plain, capital, listing } = seen;
    if (seen.listed === null) return unknown(`the namespaces could not be listed: ${listing.message}`);
    const there = seen.listed;
    const acknowledged = names.filter((_, at) => created[at]?.kind === "ok");
    const lost = acknowledged.filter((name) => !there.includes(name));
    const extra = there.filter((name, at) => !names.includes(name) || there.indexOf(name) !== at);
    const doubled = [plain, capital].filter((one) => one.said.kind === "ok");
    const sent = [listing.exchange];
    const found = [
      ...(lost.length > 0 ? [{ name: "lost" as const, data: { names: lost }, sent }] : []),
      ...(extra.length > 0 ? [{ name: "extra" as const, data: { names: extra }, sent }] : []),
      ...doubled.map((one) => ({
        name: "duplicateAccepted" as const,
        data: { statement: one.statement },
        sent: [one.said.exchange],
      })),
    ];
    if (found.length > 0) return fail(...found);
    if (acknowledged.length < names.length || names.length < letters.length)
      return unknown(`only ${acknowledged.length} of ${letters.length} namespaces were created`);
    const broken = repeated.find((one) => one.kind !== "ok");
    if (broken !== undefined || repeated.length < names.length)
      return unknown(`IF NOT EXISTS was not answered with success: ${broken?.message ?? "it was not tried"}`);
    const vague = [plain, capital].find((one) => !isCleanRefusal(one.said));
    if (vague !== undefined)
      return unknown(
        `${vague.statement}: neither accepted nor refused, but ${vague.said.status ?? ""} ${vague.said.message}`,
      );
    return pass(
      `${names.length} created, ${repeated.length} repeats without effect, 2 of 2 plain repeats refused, exactly ${there.length} listed`,
    );
  },
});
