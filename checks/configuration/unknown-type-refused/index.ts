import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { attempt, sortAttempts, whyUnknown, type Case } from "../../vocabulary/attempts.ts";

const create = (options: string) => (table: string) =>
  `CREATE TABLE ${table} (id BIGINT PRIMARY KEY, v TEXT) WITH (${options})`;
/** `word` is what the server cannot know; an options text that holds it shows that it was taken as said. */
const words = [
  { name: "table type", word: "UNKNOWN", options: "TYPE='UNKNOWN'" },
  { name: "misspelt option", word: "FLUSH_POLICI", options: "TYPE='USER', FLUSH_POLICI='rows:10'" },
  { name: "access level", word: "EVERYONE", options: "TYPE='SHARED', ACCESS_LEVEL='EVERYONE'" },
  { name: "storage", word: "nowhere_at_all", options: "TYPE='USER', STORAGE_ID='nowhere_at_all'" },
  { name: "option of another type", word: "ttl", options: "TYPE='USER', TTL_SECONDS=10" },
] as const;
const bad: readonly Case[] = words.map(({ name, options }) => ({ name, sql: create(options) }));
const valid: Case = { name: "valid", sql: create("TYPE='SHARED', STORAGE_ID='local'") };

export const unknownTypeRefused = defineCheck({
  id: "configuration/unknown-type-refused",
  title: "Table types and options that do not exist are refused",
  failureTitle: "A table type or option that does not exist is accepted",
  description:
    "Creates tables of an unknown type, with a misspelt option, an unknown access level, a storage that does not exist and a lifetime on a table that is no stream: each must be refused and leave no table. A proper one must work.",
  blindTo: "It tries one wrong word for each option, not every one.",
  risk: "A typo in a deployment script gives a table that is open, never flushed or somewhere else, and says so to nobody.",
  remedy: "After each CREATE TABLE compare the options in system.tables with what was asked for.",
  covers: ["CFG-09"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 200,
  estimateRequests: bad.length + 2,
  findings: {
    accepted: { say: (d: { case: string; options: string }) => `an unknown ${d.case} was accepted: ${d.options}` },
    silentlyIgnored: {
      say: (d: { case: string; options: string }) => `an unknown ${d.case} was ignored without a word: ${d.options}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const tried = await attempt(target, op, scratch, [...bad, valid]);
    return { bad: tried.attempts.slice(0, -1), valid: tried.attempts.slice(-1), unread: tried.unread };
  },
  judge(seen) {
    const sorted = sortAttempts(seen.bad);
    const [good] = seen.valid;
    const found = [...sorted.accepted, ...sorted.halfDone].map((one) => {
      const word = words.find(({ name }) => name === one.case)?.word ?? "";
      const kept = one.made !== null && one.made.toLowerCase().includes(word.toLowerCase());
      const data = { case: one.case, options: one.made ?? "the table is not listed" };
      return {
        name: kept ? ("accepted" as const) : ("silentlyIgnored" as const),
        case: one.case,
        data,
        sent: [one.said.exchange],
      };
    });
    if (found.length > 0) return fail(...found);
    const why = whyUnknown(seen.unread, sorted);
    if (why !== undefined) return unknown(why);
    if (good?.said.kind !== "ok" || good.made === null || seen.bad.length < bad.length) {
      return unknown(
        `a proper table could not be created, so the refusals show nothing: ${good?.said.message ?? "it was not tried"}`,
      );
    }
    return pass(
      `${sorted.refused.length} of ${seen.bad.length} unknown words refused, none left a table; a proper table works`,
    );
  },
});
