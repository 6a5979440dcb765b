import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { attempt, sortAttempts, whyUnknown, type Case } from "../../vocabulary/attempts.ts";

const create = (option: string) => (table: string) =>
  `CREATE TABLE ${table} (id BIGINT, v TEXT) WITH (TYPE='STREAM'${option})`;
const ttls = ["-100", "0", "abc", "'abc'", "99999999999999999999"];
const bad: readonly Case[] = [
  ...ttls.map((ttl) => ({ name: ttl, sql: create(`, TTL_SECONDS=${ttl}`) })),
  { name: "none", sql: create("") },
];
const valid: Case = { name: "10", sql: create(", TTL_SECONDS=10") };

export const badTtlRefused = defineCheck({
  id: "configuration/bad-ttl-refused",
  title: "A senseless stream lifetime is refused",
  failureTitle: "A senseless stream lifetime is accepted, or a good one is not",
  description:
    "Creates STREAM tables with a TTL_SECONDS that is negative, zero, a word, too large or missing: each must be refused and leave no table. Then TTL_SECONDS=10 must work and read back from the catalogue.",
  blindTo: "It does not wait for rows to expire; subscriptions/stream-tables-live does.",
  risk: "Events vanish at once, or pile up for ever.",
  remedy: "Give every STREAM table a TTL_SECONDS above zero and look it up in system.tables.",
  covers: ["CFG-07"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 200,
  estimateRequests: bad.length + 2,
  findings: {
    accepted: { say: (d: { ttl: string }) => `a STREAM table with TTL_SECONDS ${d.ttl} was accepted` },
    zeroAccepted: {
      say: (d: { ttl: string }) => `a STREAM table with TTL_SECONDS=${d.ttl} was accepted`,
      level: "warn",
    },
    validRefused: { say: (d: { outcome: string }) => `a STREAM table with TTL_SECONDS=10 does not work: ${d.outcome}` },
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
      const sent = [one.said.exchange];
      if (one.case === "0") return { name: "zeroAccepted" as const, data: { ttl: one.case }, sent };
      return { name: "accepted" as const, case: one.case, data: { ttl: one.case }, sent };
    });
    const outcome = brokenControl(good, seen.unread);
    if (outcome !== undefined)
      return fail(...found, {
        name: "validRefused",
        data: { outcome },
        sent: good === undefined ? [] : [good.said.exchange],
      });
    if (found.length > 0) return fail(...found);
    const why = whyUnknown(seen.unread, sorted);
    if (why !== undefined) return unknown(why);
    if (good?.said.kind !== "ok" || seen.bad.length < bad.length)
      return unknown(`the control was not answered: ${good?.said.message ?? "it was not tried"}`);
    return pass(
      `${sorted.refused.length} of ${seen.bad.length} bad lifetimes refused, none left a table; TTL_SECONDS=10 reads back`,
    );
  },
});

/** What is wrong with the table that should work; undefined if nothing is, or if it cannot be told. */
function brokenControl(
  good: { said: { kind: string; message: string }; made: string | null } | undefined,
  unread: string | null,
): string | undefined {
  if (good?.said.kind === "refused") return good.said.message;
  if (good?.said.kind !== "ok" || unread !== null) return undefined;
  if (good.made === null) return "it was accepted, and the table is not listed";
  return /\b10\b/.test(good.made) ? undefined : `its options read ${good.made}`;
}
