import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { attempt, sortAttempts, whyUnknown, type Case } from "../../vocabulary/attempts.ts";

const policies = [
  "rows:abc",
  "rows:-100",
  "interval:xyz",
  "unknown:1000",
  "rows:",
  "",
  "rows:0",
  "interval:0",
  "rows:100000000000000000000",
];
const validPolicy = "rows:1000,interval:60";

const create = (policy: string) => (table: string) =>
  `CREATE TABLE ${table} (id BIGINT PRIMARY KEY) WITH (TYPE='USER', FLUSH_POLICY='${policy}')`;
const bad: readonly Case[] = policies.map((policy) => ({
  name: policy === "" ? "empty" : policy,
  sql: create(policy),
}));
const valid: Case = { name: "valid", sql: create(validPolicy) };

export const badFlushPolicyRefused = defineCheck({
  id: "configuration/bad-flush-policy-refused",
  title: "A senseless flush policy is refused",
  failureTitle: "A senseless flush policy is accepted, or a good one is not",
  description: `Creates a table with each of ${policies.length} policies that cannot be honoured (not a number, negative, zero, unknown key, empty, too large); each must be refused with a text that names the policy, and leave no table. Then one that can (${validPolicy}) must work and read back from the catalogue.`,
  blindTo: "It does not watch whether a valid policy is carried out; durability and observability look at flushes.",
  risk: "Rows are never flushed, or after each write, and nobody notices until memory or disk runs out.",
  remedy: "Look up the options of your tables in system.tables; write policies as rows:N, interval:S or both.",
  covers: ["CFG-06"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 300,
  estimateRequests: bad.length + 2,
  findings: {
    accepted: {
      say: (d: { policy: string; options: string }) =>
        `FLUSH_POLICY='${d.policy}' was accepted${d.options === "" ? "" : `: ${d.options}`}`,
    },
    unclear: {
      say: (d: { policy: string; message: string }) =>
        `the refusal of FLUSH_POLICY='${d.policy}' does not name the policy: ${d.message}`,
    },
    validRefused: { say: (d: { outcome: string }) => `FLUSH_POLICY='${validPolicy}' does not work: ${d.outcome}` },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const tried = await attempt(target, op, scratch, [...bad, valid]);
    return { bad: tried.attempts.slice(0, -1), valid: tried.attempts.slice(-1), unread: tried.unread };
  },
  judge(seen) {
    const sorted = sortAttempts(seen.bad);
    const [good] = seen.valid;
    const found = [
      ...[...sorted.accepted, ...sorted.halfDone].map((one) => ({
        name: "accepted" as const,
        case: one.case,
        data: { policy: one.case, options: one.made ?? "" },
        sent: [one.said.exchange],
      })),
      ...sorted.refused
        .filter((one) => !/flush|policy|rows|interval/i.test(one.said.message))
        .map((one) => ({
          name: "unclear" as const,
          case: one.case,
          data: { policy: one.case, message: one.said.message },
          sent: [one.said.exchange],
        })),
    ];
    if (good?.said.kind === "refused") {
      return fail(...found, { name: "validRefused", data: { outcome: good.said.message }, sent: [good.said.exchange] });
    }
    if (good?.said.kind === "ok" && seen.unread === null && !/1000[^0-9].*60[^0-9]/s.test(good.made ?? "")) {
      const outcome =
        good.made === null ? "it was accepted, and the table is not listed" : `its options read ${good.made}`;
      return fail(...found, { name: "validRefused", data: { outcome }, sent: [good.said.exchange] });
    }
    if (found.length > 0) return fail(...found);
    const why = whyUnknown(seen.unread, sorted);
    if (why !== undefined) return unknown(why);
    if (good?.said.kind !== "ok" || seen.bad.length < policies.length)
      return unknown(`the control was not answered: ${good?.said.message ?? "it was not tried"}`);
    return pass(
      `${sorted.refused.length} of ${seen.bad.length} bad policies refused and named, none left a table; ${validPolicy} reads back`,
    );
  },
});
