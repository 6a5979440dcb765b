import { defineCheck, fail, pass, unknown } from "../../../src/check.ts";
import { attempt, sortAttempts, whyUnknown, type Case } from "../../vocabulary/attempts.ts";

const bad: readonly Case[] = [
  { name: "USER without", sql: (table) => `CREATE TABLE ${table} (id BIGINT, v TEXT) WITH (TYPE='USER')` },
  { name: "SHARED without", sql: (table) => `CREATE TABLE ${table} (id BIGINT, v TEXT) WITH (TYPE='SHARED')` },
  {
    name: "composite key instead of",
    sql: (table) => `CREATE TABLE ${table} (a BIGINT, b BIGINT, v TEXT, PRIMARY KEY (a, b)) WITH (TYPE='USER')`,
  },
  {
    name: "two keys instead of",
    sql: (table) => `CREATE TABLE ${table} (a BIGINT PRIMARY KEY, b BIGINT PRIMARY KEY) WITH (TYPE='USER')`,
  },
];
const stream: Case = {
  name: "STREAM without",
  sql: (table) => `CREATE TABLE ${table} (id BIGINT, v TEXT) WITH (TYPE='STREAM', TTL_SECONDS=10)`,
};

export const primaryKeyRequired = defineCheck({
  id: "configuration/primary-key-required",
  title: "USER and SHARED tables must have one primary key",
  failureTitle: "Tables without a proper key are made, or streams cannot be",
  description:
    'Creates a USER and a SHARED table without a primary key, one with a key of two columns and one with two keys: each must be refused with the words "primary key" and leave no table. A STREAM table needs none and must work.',
  blindTo: "It does not look whether a key is then kept unique; concurrency/same-key-one-winner does.",
  risk: "Rows that cannot be told apart can be neither updated nor deleted.",
  remedy: "Declare exactly one column of each USER and SHARED table as PRIMARY KEY.",
  covers: ["CFG-08"],
  touches: "scratch",
  needs: ["dba"],
  level: "block",
  estimateMs: 200,
  estimateRequests: bad.length + 2,
  findings: {
    accepted: { say: (d: { case: string }) => `a table was created that should not be: ${d.case} a primary key` },
    halfAccepted: {
      say: (d: { case: string; message: string }) =>
        `${d.case}: refused (${d.message}), and the table is there all the same`,
    },
    streamRefused: {
      say: (d: { outcome: string }) => `a STREAM table without a primary key does not work: ${d.outcome}`,
    },
  },
  async observe(target, { scratch }) {
    const op = await target.account("dba");
    const tried = await attempt(target, op, scratch, [...bad, stream]);
    return { bad: tried.attempts.slice(0, -1), stream: tried.attempts.slice(-1), unread: tried.unread };
  },
  judge(seen) {
    const sorted = sortAttempts(seen.bad);
    const [control] = seen.stream;
    const other = sorted.refused.find((one) => !/primary\s+key/i.test(one.said.message));
    const found = [
      ...sorted.accepted.map((one) => ({
        name: "accepted" as const,
        case: one.case,
        data: { case: one.case },
        sent: [one.said.exchange],
      })),
      ...sorted.halfDone.map((one) => ({
        name: "halfAccepted" as const,
        case: one.case,
        data: { case: one.case, message: one.said.message },
        sent: [one.said.exchange],
      })),
    ];
    if (control?.said.kind === "refused") {
      return fail(...found, {
        name: "streamRefused",
        data: { outcome: control.said.message },
        sent: [control.said.exchange],
      });
    }
    if (found.length > 0) return fail(...found);
    const why = whyUnknown(seen.unread, sorted);
    if (why !== undefined) return unknown(why);
    // Refused for another reason than the one at hand shows nothing about keys.
    if (other !== undefined) return unknown(`${other.case} was refused, but not for its key: ${other.said.message}`);
    if (control?.said.kind !== "ok" || seen.bad.length < bad.length)
      return unknown(`the control was not answered: ${control?.said.message ?? "it was not tried"}`);
    return pass(
      `${sorted.refused.length} of ${seen.bad.length} refused for their key, none left a table; a STREAM without works`,
    );
  },
});
