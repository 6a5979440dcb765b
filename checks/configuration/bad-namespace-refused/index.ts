import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { known, listed, saidOf, type Said } from "../../../src/server/target.ts";
import { isServerError } from "../../vocabulary/second-look.ts";
import { sortTried, whyUnclear } from "../../vocabulary/trials.ts";
import { cases, casesFor } from "./cases.ts";

/** Reserved names may exist on a server. */
const reservedMax = 2;

type Attempt = { readonly case: string; readonly text: string; readonly said: Said };
type Created = { readonly text: string; readonly created: readonly string[] };

export const badNamespaceRefused = defineCheck({
  id: "configuration/bad-namespace-refused",
  title: "Invalid namespace names are rejected",
  failureTitle: "A namespace with an invalid name is accepted",
  description: `Tries to create namespaces with ${cases.length} invalid names: empty, with a leading digit or underscore, punctuation, an emoji, 65 characters, quotes, reserved words, trailing text. Where names are not limited to ASCII, some of these are valid and left out. Each must be rejected, and no new namespace of this run may be listed afterwards. A simple query then shows that the server still works.`,
  blindTo:
    "It tests names of namespaces only. Path-like names could crash a server, so validation/hostile-names-harmless sends them only to a server that kalam-ready started.",
  risk: "A typo in a deployment script creates a different namespace without reporting an error.",
  remedy: "Validate names before sending them, do not quote them, and compare SHOW NAMESPACES with what you asked for.",
  covers: ["CFG-05"],
  expects: ["names"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 400,
  estimateRequests: cases.length + 4,
  findings: {
    accepted: {
      say: (d: Created) =>
        `CREATE NAMESPACE ${d.text} was accepted${d.created.length === 0 ? "" : ` and created ${namesText(d)}`}`,
    },
    trailingTextIgnored: {
      say: (d: Created) => `CREATE NAMESPACE ${d.text} created ${namesText(d)} and ignored the rest`,
    },
    brokeServer: {
      say: (d: { text: string; outcome: string }) => `CREATE NAMESPACE ${d.text} caused a server error: ${d.outcome}`,
      risk: "A mistyped name fails inside the server, and the error does not say what is wrong with the name.",
      remedy: "Look in the server's log for the failed statement, and validate names before sending them.",
    },
  },
  async observe(target, context) {
    const op = await target.account("dba");
    const own = cases.map((_, at) => context.name(`n${String(at).padStart(2, "0")}`));
    const reserved = cases.filter((one) => one.claimed === true).map((one) => one.text(""));
    const standing = await target.sql(
      op,
      `SELECT namespace_id FROM system.namespaces WHERE namespace_id IN ('${reserved.join("', '")}') LIMIT 100`,
    );
    const before = listed(context.need(standing, "the existing namespaces could not be listed")) ?? [];
    const attempts: Attempt[] = [];
    const names = known(target.dialect.names);
    const tried = casesFor(names);
    for (const [at, one] of cases.entries()) {
      if (!tried.includes(one)) continue;
      const text = one.text(own[at] ?? "");
      // A namespace that exists already proves nothing, and must never be claimed: the clean-up would drop it.
      if (before.includes(text)) continue;
      if (one.claimed === true && text !== "system") context.claim(text);
      attempts.push({ case: one.name, text, said: saidOf(await target.sql(op, `CREATE NAMESPACE ${text}`)) });
    }
    const alive = await target.sql(op, "SELECT 1 AS alive");
    const plain = attempts.map(({ text }) => text.toLowerCase()).filter((text) => /^[\w-]+$/.test(text));
    const after = await target.sql(
      op,
      `SELECT namespace_id FROM system.namespaces WHERE (namespace_id > '${context.scratch}_' AND namespace_id < '${context.scratch}_z') OR namespace_id IN ('${plain.join("', '")}') ORDER BY namespace_id LIMIT 500`,
    );
    return { names, attempts, own, before, alive: saidOf(alive), created: listed(after) ?? null };
  },
  judge({ names, attempts, own, alive, created }, { found }) {
    const wanted = casesFor(names).length;
    const broke = ({ said }: Attempt): boolean => isServerError(said.status);
    for (const { case: name, text, said } of attempts.filter(broke))
      found.brokeServer({ text, outcome: `${said.status} ${said.message}` }, { case: name, sent: said });
    for (const one of attempts.filter((other) => !broke(other))) {
      const { case: name, text, said } = one;
      const from = own[cases.findIndex((other) => other.name === name)] ?? "?";
      const made = (created ?? []).filter(
        (listedName) => listedName.startsWith(from) || listedName === text.toLowerCase(),
      );
      if (said.kind !== "ok" && made.length === 0) continue;
      const isCutOff = name === "trailing text" && made.length > 0;
      const report = isCutOff ? found.trailingTextIgnored : found.accepted;
      report({ text, created: made }, { case: name, sent: said });
    }
    if (created === null)
      return unknown("the namespaces could not be listed afterwards, so a rejected name may have created one");
    if (alive.kind !== "ok")
      return unknown(`a simple query afterwards failed: ${alive.status ?? "no answer"} ${alive.message}`);
    const why = whyUnclear(sortTried(attempts));
    if (why !== undefined) return unknown(why);
    if (attempts.length < wanted - reservedMax)
      return unknown(`only ${attempts.length} of ${wanted} names could be tried; the others exist already`);
    return pass(`${attempts.length} of ${attempts.length} invalid names rejected, no namespace created`);
  },
});

function namesText({ created }: Created): string {
  return created.map((one) => JSON.stringify(one)).join(", ");
}
