import { defineCheck, pass, unknown } from "../../../src/check.ts";
import { valueOf, type Values } from "../../../src/server/target.ts";
import { attemptWithControl, sortAttempts, tableCase, whyInconclusive, type Case } from "../../vocabulary/attempts.ts";

const columns = "id BIGINT PRIMARY KEY, v TEXT";
/** `word`: what the server cannot know. If the catalogue shows it, the server took it at face value. */
const bad: readonly (Case & { readonly word: string; readonly onlyLevels?: true })[] = [
  {
    name: "table type",
    sql: (table) => `CREATE TABLE ${table} (${columns}) WITH (TYPE='UNKNOWN')`,
    word: "UNKNOWN",
  },
  { ...tableCase("misspelt option", { columns, options: { FLUSH_POLICI: "rows:10" } }), word: "FLUSH_POLICI" },
  {
    ...tableCase("access level", { type: "SHARED", columns, options: { ACCESS_LEVEL: "EVERYONE" } }),
    word: "EVERYONE",
    onlyLevels: true,
  },
  { ...tableCase("storage", { columns, options: { STORAGE_ID: "nowhere_at_all" } }), word: "nowhere_at_all" },
  { ...tableCase("option of another type", { columns, options: { TTL_SECONDS: 10 } }), word: "ttl" },
];
/** Without access levels, every level is refused for its option, which shows nothing about its value. */
function badFor(sharedAccess: Values["sharedAccess"] | null): typeof bad {
  return sharedAccess === "levels" ? bad : bad.filter((one) => one.onlyLevels !== true);
}

const valid = tableCase("valid", { type: "SHARED", columns, options: { STORAGE_ID: "local" } });

export const unknownTypeRefused = defineCheck({
  id: "configuration/unknown-type-refused",
  title: "Unknown table types and options are rejected",
  failureTitle: "An unknown table type or option is accepted",
  description:
    "Tries to create tables with an unknown type, a misspelt option, an unknown access level (where there are levels), a storage that does not exist, and a TTL on a table that is not a stream. Each must be rejected and leave no table. A valid table must be accepted.",
  blindTo: "It tries one invalid word per option.",
  risk: "A typo in a deployment script creates a table that is open, never flushed or in the wrong storage, without reporting an error.",
  remedy: "After each CREATE TABLE, compare the options in system.tables with what you asked for.",
  covers: ["CFG-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 200,
  estimateRequests: bad.length + 2,
  findings: {
    accepted: {
      say: (d: { case: string; options: string }) => `invalid ${d.case}: accepted and stored: ${d.options}`,
    },
    silentlyIgnored: {
      say: (d: { case: string; options: string }) => `invalid ${d.case}: accepted and ignored: ${d.options}`,
    },
  },
  async observe(target, { scratch }) {
    const sharedAccess = valueOf(target.dialect.sharedAccess) ?? null;
    const tried = badFor(sharedAccess);
    return { sharedAccess, ...(await attemptWithControl(target, await target.account("dba"), scratch, tried, valid)) };
  },
  judge(seen, { found }) {
    const { created, refused } = sortAttempts(seen.bad);
    for (const { case: name, made, said } of created) {
      const word = bad.find((one) => one.name === name)?.word ?? "";
      const isStored = made !== null && made.toLowerCase().includes(word.toLowerCase());
      const report = isStored ? found.accepted : found.silentlyIgnored;
      report({ case: name, options: made ?? "the table is not listed" }, { case: name, sent: said });
    }
    const why = whyInconclusive(seen, badFor(seen.sharedAccess).length);
    if (why !== undefined) return unknown(why);
    return pass(
      `${refused.length} of ${seen.bad.length} invalid words rejected, none left a table; a valid table works`,
    );
  },
});
