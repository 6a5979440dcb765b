import { defineCheck, pass, unknown } from "../../../src/check.ts";
import {
  attemptWithControl,
  controlFailure,
  sortAttempts,
  tableCase,
  whyInconclusive,
  type Case,
} from "../../vocabulary/attempts.ts";

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

const withPolicy = (name: string, policy: string): Case =>
  tableCase(name, { columns: "id BIGINT PRIMARY KEY", options: { FLUSH_POLICY: policy } });
const bad = policies.map((policy) => withPolicy(policy === "" ? "empty" : policy, policy));
const policyOf = (name: string): string => (name === "empty" ? "" : name);

export const badFlushPolicyRefused = defineCheck({
  id: "configuration/bad-flush-policy-refused",
  title: "Invalid flush policies are rejected",
  failureTitle: "An invalid flush policy is accepted, or a valid one is not",
  description: `Tries to create a table with each of ${policies.length} invalid policies (not a number, negative, zero, unknown key, empty, too large). Each must be rejected with a message that names the policy, and leave no table. A valid policy (${validPolicy}) must be accepted and read back from the catalogue.`,
  blindTo:
    "It does not test whether a valid policy is carried out; the durability and observability categories test flushes.",
  risk: "Rows are never flushed, or flushed after each write, and no error is reported before memory or disk runs out.",
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
        `the error for FLUSH_POLICY='${d.policy}' does not mention the policy: ${d.message}`,
      risk: "Operators cannot tell from the error which option to correct.",
    },
    validRefused: {
      say: (d: { outcome: string }) => `FLUSH_POLICY='${validPolicy}' does not work: ${d.outcome}`,
      risk: "Tables cannot be given a flush policy, so they are flushed by the server's default.",
      remedy: "Look in the server's log for the failed CREATE TABLE, and compare the options in system.tables.",
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    return await attemptWithControl(target, op, scratch, bad, withPolicy("valid", validPolicy));
  },
  judge(seen, { found }) {
    const { created, refused } = sortAttempts(seen.bad);
    for (const one of created)
      found.accepted({ policy: policyOf(one.case), options: one.made ?? "" }, { case: one.case, sent: one.said });
    for (const { case: name, said } of refused)
      if (!/flush|policy|rows|interval/i.test(said.message))
        found.unclear({ policy: policyOf(name), message: said.message }, { case: name, sent: said });
    const outcome = controlFailure(seen, /1000[^0-9].{0,500}60[^0-9]/s);
    if (outcome !== undefined) found.validRefused({ outcome }, { sent: seen.control?.said });
    const why = whyInconclusive(seen, bad.length);
    if (why !== undefined) return unknown(why);
    return pass(
      `${refused.length} of ${seen.bad.length} invalid policies rejected by name, none left a table; ${validPolicy} reads back`,
    );
  },
});
