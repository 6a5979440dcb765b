import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { listed, saidOf, isCleanRefusal, type Said } from "../../../src/server/target.ts";

/**
 * What each name is made of, from a proper one of the run's own. `claimed` where the result does not begin like ours.
 * None with `/`, `\\`, `..` or NUL: there are servers that end at these, so they are for a server of our own
 * (validation/hostile-names-harmless).
 */
const cases: readonly { name: string; text: (own: string) => string; claimed?: boolean }[] = [
  { name: "empty", text: () => "" },
  { name: "empty in quotes", text: () => "''" },
  { name: "leading digit", text: (own) => `7${own}`, claimed: true },
  { name: "leading underscore", text: (own) => `_${own}`, claimed: true },
  { name: "hyphen", text: (own) => `${own}-x` },
  { name: "dot", text: (own) => `${own}.x` },
  { name: "emoji", text: (own) => `${own}😀` },
  { name: "letter with an umlaut", text: (own) => `${own}ä` },
  { name: "65 characters", text: (own) => own.padEnd(65, "x") },
  { name: "single quotes", text: (own) => `'${own}'` },
  { name: "double quotes", text: (own) => `"${own} x"` },
  { name: "trailing text", text: (own) => `${own} ns` },
  { name: "reserved word select", text: () => "select", claimed: true },
  { name: "reserved name system", text: () => "system", claimed: true },
];

type Attempt = { readonly case: string; readonly text: string; readonly said: Said };

export const badNamespaceRefused = defineCheck({
  id: "configuration/bad-namespace-refused",
  title: "A namespace with a bad name is refused",
  failureTitle: "A namespace with a bad name is accepted",
  description: `Tries ${cases.length} names that are none: empty, a leading digit or underscore, signs, an emoji, 65 characters, quotes, reserved words, trailing text. Each must be refused, and afterwards no namespace of ours may be listed that was not there before. A query in between shows that the server still works.`,
  blindTo:
    "It tries names of namespaces only. Names that lead to another folder could end a server, so they are tried on our own server alone: validation/hostile-names-harmless.",
  risk: "A typo in a deployment script creates something else, and says so to nobody.",
  remedy: "Quote nothing, check names before sending, and compare SHOW NAMESPACES with what was asked for.",
  covers: ["CFG-05"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: cases.length + 4,
  findings: {
    accepted: {
      say: (d: { text: string; created: readonly string[] }) =>
        `CREATE NAMESPACE ${d.text} was accepted${d.created.length === 0 ? "" : ` and created ${d.created.map((one) => JSON.stringify(one)).join(", ")}`}`,
    },
    trailingTextIgnored: {
      say: (d: { text: string; created: readonly string[] }) =>
        `CREATE NAMESPACE ${d.text} created ${d.created.map((one) => JSON.stringify(one)).join(", ")} and ignored the rest`,
    },
    brokeServer: {
      say: (d: { text: string; outcome: string }) => `CREATE NAMESPACE ${d.text} broke the server: ${d.outcome}`,
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    // Each name is made from one of its own, so that an acceptance shows which statement made what.
    const own = cases.map((_, at) => context.name(`n${String(at).padStart(2, "0")}`));
    const reserved = cases.filter((one) => one.claimed === true).map((one) => one.text(""));
    const standing = await target.sql(
      op,
      `SELECT namespace_id FROM system.namespaces WHERE namespace_id IN ('${reserved.join("', '")}') LIMIT 100`,
    );
    const before = listed(standing) ?? [];
    const attempts: Attempt[] = [];
    for (const [at, one] of cases.entries()) {
      const text = one.text(own[at] ?? "");
      // A name that somebody already has shows nothing here, and must never enter our ledger.
      if (before.includes(text)) continue;
      if (one.claimed === true && text !== "system") context.claim(text);
      attempts.push({ case: one.name, text, said: saidOf(await target.sql(op, `CREATE NAMESPACE ${text}`)) });
    }
    const alive = await target.sql(op, "SELECT 1 AS alive");
    const named = attempts.map(({ text }) => text.toLowerCase()).filter((text) => /^[\w-]+$/.test(text));
    const after = await target.sql(
      op,
      `SELECT namespace_id FROM system.namespaces WHERE (namespace_id > '${context.scratch}_' AND namespace_id < '${context.scratch}_z') OR namespace_id IN ('${named.join("', '")}') ORDER BY namespace_id LIMIT 500`,
    );
    return { attempts, own, before, alive: saidOf(alive), created: listed(after) ?? null };
  },
  judge({ attempts, own, alive, created }) {
    // What a statement made is what begins with the name it was built from, or has the name itself.
    const tried = attempts.map((one) => {
      const from = own[cases.findIndex(({ name }) => name === one.case)] ?? "?";
      return {
        ...one,
        made: (created ?? []).filter((name) => name.startsWith(from) || name === one.text.toLowerCase()),
      };
    });
    const broke = tried.filter((one) => one.said.status !== null && one.said.status >= 500);
    const made = tried.filter((one) => !broke.includes(one) && (one.said.kind === "ok" || one.made.length > 0));
    const found = [
      ...broke.map((one) => ({
        name: "brokeServer" as const,
        case: one.case,
        data: { text: one.text, outcome: `${one.said.status} ${one.said.message}` },
        sent: [one.said.exchange],
      })),
      ...made.map((one) => ({
        name:
          one.case === "trailing text" && one.made.length > 0
            ? ("trailingTextIgnored" as const)
            : ("accepted" as const),
        case: one.case,
        data: { text: one.text, created: one.made },
        sent: [one.said.exchange],
      })),
    ];
    if (found.length > 0) return fail(...found);
    if (created === null)
      return unknown("the namespaces could not be listed afterwards, so a refusal may have created something");
    if (alive.kind !== "ok")
      return unknown(`a plain query afterwards got ${alive.status ?? "no answer"} ${alive.message}`);
    const vague = attempts.find((one) => !isCleanRefusal(one.said));
    if (vague !== undefined)
      return unknown(
        `${vague.case}: neither accepted nor refused, but ${vague.said.status ?? ""} ${vague.said.code} ${vague.said.message}`,
      );
    if (attempts.length < triedMin)
      return unknown(`only ${attempts.length} of ${cases.length} names could be tried; the others exist`);
    return pass(`${attempts.length} of ${attempts.length} bad names refused, nothing of ours is listed after`);
  },
});

/** All but the reserved words, which a server may list. */
const triedMin = cases.length - 2;
